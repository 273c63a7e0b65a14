// What a signature found: each place in its buffer, the bytes as digits and as text.
import { useTranslation } from "react-i18next";
import styles from "../Evidence.module.css";
import { dump } from "./dump";
import { listOf } from "./pairs";
import type { PayloadProps } from ".";

export function SignatureView({ event }: PayloadProps) {
  const { t } = useTranslation();
  const buffers = listOf(event, "signature.matched.buffer");
  const offsets = listOf(event, "signature.matched.offset");
  const bytes = listOf(event, "signature.matched.bytes");
  return (
    <div className={styles.payload}>
      {bytes.map((digits, at) => (
        <div key={at}>
          <h4>{t("alerts.payload.found_in", { buffer: buffers[at] ?? "", offset: offsets[at] ?? "0" })}</h4>
          <pre tabIndex={0}>{dump(digits, Number(offsets[at] ?? 0))}</pre>
        </div>
      ))}
    </div>
  );
}
