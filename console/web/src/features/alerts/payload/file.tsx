// A carved file: name, type as found and as claimed, hashes.
import { useTranslation } from "react-i18next";
import styles from "../Evidence.module.css";
import { Pairs } from "./pairs";
import type { PayloadProps } from ".";

const FIELDS = [
  ["name", "file.name"],
  ["type_found", "file.mime_type"],
  ["type_claimed", "file.claimed_type"],
  ["bytes", "file.size"],
  ["URL", "url.full"],
  ["SHA-256", "file.hash.sha256"],
  ["SHA-1", "file.hash.sha1"],
  ["MD5", "file.hash.md5"],
] as const;

export function FileView({ event, needles }: PayloadProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.payload}>
      <h4>{t("alerts.payload.file")}</h4>
      <Pairs event={event} fields={FIELDS} needles={needles} />
    </div>
  );
}
