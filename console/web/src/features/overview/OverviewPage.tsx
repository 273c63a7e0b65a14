// The overview: what an analyst begins the day with, and what a manager must know on one screen.
import { Button, SegmentedControl, Select } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useCaller } from "../../api/session";
import { usePageTitle } from "../../ui/Page";
import { State } from "./State";
import { Work } from "./Work";
import styles from "./Overview.module.css";

const VIEWS = ["work", "state"] as const;
const PERIODS = ["1", "7", "30", "90"] as const;

export default function OverviewPage() {
  const { t } = useTranslation();
  usePageTitle(t("overview.title"));
  const caller = useCaller();
  const [search, setSearch] = useSearchParams();
  const usual = caller.role === "manager" ? "state" : "work";
  const view = VIEWS.find((each) => each === search.get("view")) ?? usual;
  const days = PERIODS.find((each) => each === search.get("days")) ?? "7";
  const set = (name: string, value: string) => setSearch((old) => new URLSearchParams([...[...old].filter(([key]) => key !== name), [name, value]]), { replace: true });
  return (
    <main className={styles.page}>
      <div className={styles.bar}>
        <h1>{t("overview.title")}</h1>
        <SegmentedControl size="xs" aria-label={t("overview.view")} value={view} onChange={(value) => set("view", value)} data={VIEWS.map((value) => ({ value, label: t(`overview.views.${value}`) }))} />
        {view === "state" && (
          <>
            <Select size="xs" w={120} aria-label={t("overview.period")} value={days} onChange={(value) => set("days", value ?? "7")} data={PERIODS.map((value) => ({ value, label: t(`overview.periods.${value}`) }))} />
            <span className={styles.grow} />
            <Button size="xs" variant="default" component={Link} to="/reports" leftSection={<IconFileText size={15} />}>
              {t("overview.report")}
            </Button>
          </>
        )}
      </div>
      {view === "work" ? <Work /> : <State days={Number(days)} />}
    </main>
  );
}
