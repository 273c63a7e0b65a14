// What was said on the wire, in the shape people know it: a view is one file and one line here. Each shows itself
// when its protocol's leading field is in the event.
import { useTranslation } from "react-i18next";
import type { EventDocument, MatchedField } from "../../../api/types";
import { pickText } from "../../../ui/flatten";
import styles from "../Evidence.module.css";
import { quotedParts } from "../highlight";
import { DnsView } from "./dns";
import { FileView } from "./file";
import { HttpView } from "./http";
import { SignatureView } from "./signature";
import { TlsView } from "./tls";

export interface PayloadProps {
  event: EventDocument;
  /** Texts to be marked. */
  needles: readonly string[];
}

const VIEWS = [
  { leading: "http.request.method", View: HttpView },
  { leading: "dns.question.name", View: DnsView },
  { leading: "tls.version", View: TlsView },
  { leading: "file.size", View: FileView },
  { leading: "signature.matched.bytes", View: SignatureView },
] as const;

function needlesOf(matched: readonly MatchedField[]): string[] {
  return matched.flatMap(({ value, wanted }) => {
    const parts = quotedParts(wanted).filter((part) => value.toLowerCase().includes(part.toLowerCase()));
    return parts.length > 0 ? parts : [value];
  });
}

export function Payload({ event, matched }: { event: EventDocument; matched: readonly MatchedField[] }) {
  const { t } = useTranslation();
  const views = VIEWS.filter(({ leading }) => pickText(event, leading) !== undefined);
  if (views.length === 0) return null;
  const needles = needlesOf(matched).filter((needle) => needle.length > 2);
  return (
    <section aria-label={t("alerts.payload.title")}>
      <h3 className={styles.heading}>{t("alerts.payload.title")}</h3>
      {views.map(({ leading, View }) => (
        <View key={leading} event={event} needles={needles} />
      ))}
    </section>
  );
}
