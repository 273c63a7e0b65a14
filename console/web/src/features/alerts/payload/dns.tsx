// A DNS question and what was answered.
import { useTranslation } from "react-i18next";
import { pickText } from "../../../ui/flatten";
import { Value } from "../../../ui/Value";
import styles from "../Evidence.module.css";
import { marked } from "../highlight";
import { listOf } from "./pairs";
import type { PayloadProps } from ".";

export function DnsView({ event, needles }: PayloadProps) {
  const { t } = useTranslation();
  const name = pickText(event, "dns.question.name") ?? "";
  const data = listOf(event, "dns.answers.data");
  const types = listOf(event, "dns.answers.type");
  const ttls = listOf(event, "dns.answers.ttl");
  return (
    <div className={styles.payload}>
      <h4>{t("alerts.payload.question")}</h4>
      <pre tabIndex={0}>
        <b>{pickText(event, "dns.question.type")}</b>{" "}
        <Value field="dns.question.name" value={name}>
          {marked(name, needles)}
        </Value>{" "}
        <em>{pickText(event, "dns.response_code")}</em>
      </pre>
      <h4 style={{ borderTop: "1px solid var(--lt-border)" }}>{t("alerts.payload.answers")}</h4>
      <pre tabIndex={0}>
        {data.length === 0 && <em>{t("alerts.payload.no_answer")}</em>}
        {data.map((answer, at) => (
          <div key={at}>
            <b>{types[at]}</b>{" "}
            <Value field="dns.answers.data" value={answer}>
              {marked(answer, needles)}
            </Value>{" "}
            {ttls[at] !== undefined && <em>TTL {ttls[at]}</em>}
          </div>
        ))}
      </pre>
    </div>
  );
}
