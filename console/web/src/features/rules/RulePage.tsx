// One rule: in words, and its text.
import { Anchor, Button } from "@mantine/core";
import { IconArrowLeft } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { client, must } from "../../api/client";
import { useCauses } from "../../api/shared";
import type { RuleDetail } from "../../api/types";
import { count, reflow } from "../../ui/format";
import { Page, Panel } from "../../ui/Page";
import { SeverityBadge } from "../../ui/Severity";
import { Failed, SkeletonRows } from "../../ui/States";
import styles from "./Rules.module.css";

export default function RulePage() {
  const { id = "" } = useParams();
  const query = useQuery({ queryKey: ["rule", id], queryFn: () => must(client.GET("/api/v1/rules/{id}", { params: { path: { id } } })) });
  if (query.isPending) return <SkeletonRows rows={6} height={60} />;
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <RuleView detail={query.data} />;
}

function RuleView({ detail }: { detail: RuleDetail }) {
  const { t, i18n } = useTranslation();
  const { rule, severity, hits, file } = detail.line;
  const causes = useCauses(rule);
  const vi = i18n.language === "vi";
  const description = vi ? (rule.description_vi ?? rule.description) : rule.description;
  const advice = vi ? (rule.advice_vi ?? rule.advice) : (rule.advice ?? rule.advice_vi);
  return (
    <Page
      title={vi ? (rule.name_vi ?? rule.name) : rule.name}
      lead={
        <span className={styles.meta}>
          <SeverityBadge level={severity} compact />
          {t(`kind.${rule.kind}`)} · <span className="mono">{rule.id}</span> · {t("rules.revision")} {rule.revision} · <span className="mono">{file}</span> · {t("rules.hits")}: {count(hits)}
        </span>
      }
      actions={
        <>
          <Button component={Link} to="/rules" variant="default" leftSection={<IconArrowLeft size={15} />}>
            {t("rules.back")}
          </Button>
          <Button component={Link} to={`/alerts?status=all&rule=${encodeURIComponent(rule.id)}`}>
            {t("rules.alerts")}
          </Button>
        </>
      }
    >
      <Panel title={t("rules.description")}>
        <div className={styles.prose}>{reflow(description)}</div>
        {rule.techniques.length > 0 && <p className="mono dim">{rule.techniques.join(" · ")}</p>}
      </Panel>
      {advice && (
        <Panel title={t("rules.advice")}>
          <div className={styles.prose}>{reflow(advice)}</div>
        </Panel>
      )}
      {causes.length > 0 && (
        <Panel title={t("rules.false_positives")}>
          <ul className={styles.list}>
            {causes.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </Panel>
      )}
      {rule.references.length > 0 && (
        <Panel title={t("rules.references")}>
          <ul className={styles.list}>
            {rule.references.map((link) => (
              <li key={link}>
                {/^https?:\/\//.test(link) ? (
                  <Anchor href={link} target="_blank" rel="noreferrer noopener" size="sm">
                    {link}
                  </Anchor>
                ) : (
                  link
                )}
              </li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel title={t("rules.text")} flush>
        <pre className={styles.text} tabIndex={0} aria-label={t("rules.text")}>
          {detail.text}
        </pre>
      </Panel>
    </Page>
  );
}
