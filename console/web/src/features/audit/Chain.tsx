// Whether the log is whole: where its chain ends, a verification in place, the log to take along.
import { Button, Tooltip } from "@mantine/core";
import { IconDownload, IconLink, IconLinkOff, IconShieldCheck } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import type { ChainReport } from "../../api/types";
import { count } from "../../ui/format";
import { Copyable } from "../../ui/Copyable";
import { Failed, SkeletonRows } from "../../ui/States";
import { Time } from "../../ui/Time";
import styles from "./Audit.module.css";

export function Chain() {
  const { t } = useTranslation();
  const state = useQuery({ queryKey: ["audit", "chain"], queryFn: () => must(client.GET("/api/v1/audit/chain")), staleTime: 0 });
  const verify = useMutation({ mutationFn: () => must(client.GET("/api/v1/audit/verify")), onSettled: () => void state.refetch() });
  if (state.isPending) return <SkeletonRows rows={1} height={70} />;
  if (state.isError) return <Failed error={state.error} retry={() => void state.refetch()} />;
  const { head, adopted, guarded } = state.data;
  const report = verify.data;
  const broken = report !== undefined && !report.whole;
  return (
    <section className={styles.chain} data-state={broken || !guarded ? "broken" : report ? "whole" : "unknown"} aria-label={t("audit.chain")}>
      <div className={styles.sign} aria-hidden>
        {broken ? <IconLinkOff size={24} /> : report ? <IconShieldCheck size={24} /> : <IconLink size={24} />}
      </div>
      <div className={styles.said} role="status">
        <Result report={report} failure={verify.error} />
        {adopted > 0 && <div className="dim">{t("audit.adopted", { number: count(adopted) })}</div>}
        {!guarded && <div className={styles.bad}>{t("audit.unguarded")}</div>}
      </div>
      {head && (
        <div className={styles.head}>
          <Tooltip label={t("audit.head_hint")} multiline w={320}>
            <span className={styles.headLabel}>{t("audit.head")}</span>
          </Tooltip>
          <Copyable value={`${head.number}:${head.digest}`} label={t("audit.head")} />
          <span className="dim">
            <Time at={head.at} style="full" />
          </span>
        </div>
      )}
      <div className={`${styles.actions} no-print`}>
        <Button size="xs" leftSection={<IconShieldCheck size={15} />} loading={verify.isPending} onClick={() => verify.mutate()}>
          {t("audit.verify")}
        </Button>
        <Button size="xs" variant="default" component="a" href="/api/v1/audit/export" download leftSection={<IconDownload size={15} />}>
          {t("audit.export")}
        </Button>
      </div>
    </section>
  );
}

function Result({ report, failure }: { report: ChainReport | undefined; failure: Error | null }) {
  const { t } = useTranslation();
  if (failure) return <b className={styles.bad}>{failure.message || t("ui.unreachable")}</b>;
  if (report === undefined) {
    return (
      <>
        <b>{t("audit.chained")}</b>
        <div className="dim">{t("audit.chained_hint")}</div>
      </>
    );
  }
  if (report.broken) {
    const { number, kind } = report.broken;
    const kinds = ["changed", "missing", "inserted", "replaced", "shortened", "rewritten"] as const;
    const known = kinds.find((each) => each === kind);
    return (
      <>
        <b className={styles.bad}>{t("audit.broken", { number: count(number) })}</b>
        <div>{known ? t(`audit.break.${known}`, { number: count(number) }) : report.broken.message}</div>
        <div className="dim">{t("audit.before_fits", { number: count(report.checked) })}</div>
      </>
    );
  }
  return (
    <>
      <b className={styles.good}>{t("audit.whole")}</b>
      <div className="dim">{t("audit.whole_hint", { number: count(report.checked) })}</div>
    </>
  );
}
