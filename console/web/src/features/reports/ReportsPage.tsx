// Reports: which, for what day, in which language; the same document as page and as PDF.
import { Button, Select } from "@mantine/core";
import { DateInput } from "@mantine/dates";
import { IconDownload, IconPrinter } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { client, must } from "../../api/client";
import type { Lang } from "../../api/types";
import { today } from "../../ui/format";
import { usePageTitle } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { DocumentView } from "./DocumentView";
import styles from "./Reports.module.css";

const DEFAULT_REPORT = "daily_summary";

function useReportState() {
  const { i18n } = useTranslation();
  const [params, setParams] = useSearchParams();
  const own: Lang = i18n.language === "en" ? "en" : "vi";
  const asked = params.get("lang");
  const lang: Lang = asked === "vi" || asked === "en" ? asked : own;
  const set = (key: string, value: string | null) => setParams((old) => new URLSearchParams([...[...old].filter(([each]) => each !== key), ...(value ? [[key, value]] : [])]));
  return { name: params.get("name") ?? DEFAULT_REPORT, date: params.get("date") ?? today(), lang, set };
}

export default function ReportsPage() {
  const { t, i18n } = useTranslation();
  usePageTitle(t("reports.title"));
  const { name, date, lang, set } = useReportState();
  const reports = useQuery({ queryKey: ["reports"], queryFn: async () => (await must(client.GET("/api/v1/reports"))).items, staleTime: Infinity });
  const report = useQuery({
    queryKey: ["report", name, date, lang],
    queryFn: ({ signal }) => must(client.GET("/api/v1/reports/{name}", { params: { path: { name }, query: { date, lang } }, signal })),
  });
  const pdf = `/api/v1/reports/${encodeURIComponent(name)}.pdf?${new URLSearchParams({ date, lang }).toString()}`;
  return (
    <main className={styles.page}>
      <div className={`${styles.bar} no-print`}>
        <h1>{t("reports.title")}</h1>
        <Select size="xs" w={230} aria-label={t("reports.which")} value={name} onChange={(value) => set("name", value)} data={(reports.data ?? []).map((each) => ({ value: each.name, label: i18n.language === "vi" ? each.title_vi : each.title }))} />
        <DateInput size="xs" w={140} aria-label={t("reports.date")} value={date} onChange={(value) => set("date", value)} valueFormat="DD/MM/YYYY" maxDate={today()} />
        <Select size="xs" w={130} aria-label={t("reports.lang")} value={lang} onChange={(value) => set("lang", value)} data={[{ value: "vi", label: t("reports.lang_vi") }, { value: "en", label: t("reports.lang_en") }]} />
        <span className={styles.grow} />
        <Button size="xs" variant="default" leftSection={<IconPrinter size={15} />} onClick={() => window.print()}>
          {t("reports.print")}
        </Button>
        <Button size="xs" component="a" href={pdf} download={`${name}-${date}-${lang}.pdf`} leftSection={<IconDownload size={15} />}>
          {t("reports.pdf")}
        </Button>
      </div>
      {report.isPending ? <SkeletonRows rows={8} height={48} /> : report.isError ? <Failed error={report.error} retry={() => void report.refetch()} /> : <DocumentView document={report.data} />}
    </main>
  );
}
