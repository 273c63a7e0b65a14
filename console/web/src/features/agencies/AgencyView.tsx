// One agency: what it is, who sees it, and its contacts, networks, systems, assets and history.
import { Anchor, Badge, Button, Modal, Tabs } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBell, IconBriefcase, IconPencil } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { usePermissions } from "../../api/session";
import type { AgencyDetail, AgencyRow, HistoryEntry, RecordKind, RegisterTable } from "../../api/types";
import { count } from "../../ui/format";
import { Panel } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import styles from "./Agencies.module.css";
import { AgencyForm } from "./AgencyForm";
import { TABLES, useAllHeadings, useLists } from "./headings";
import { agencyPath, dayText } from "./lines";
import { useAgency, useSeenBy } from "./queries";
import { Records } from "./Records";
import { vi } from "./words";

const KINDS: readonly RecordKind[] = ["contact", "network", "system", "asset"];

export function AgencyView({ id, all }: { id: string; all: readonly AgencyRow[] }) {
  const { t } = useTranslation();
  const may = usePermissions();
  const detail = useAgency(id);
  const [params, setParams] = useSearchParams();
  const [editing, edit] = useDisclosure(false);
  if (detail.isPending) return <SkeletonRows />;
  if (detail.isError) return <Failed error={detail.error} retry={() => void detail.refetch()} />;
  const { agency, history } = detail.data;
  const numbers: Record<RecordKind, number> = { contact: agency.contacts, network: agency.networks, system: agency.systems, asset: agency.assets };
  const tab = params.get("tab") ?? "contact";
  return (
    <div>
      <Panel
        title={agency.name}
        aside={
          may.cases && (
            <Button size="compact-sm" variant="default" leftSection={<IconPencil size={14} />} onClick={edit.open}>
              {t("agencies.edit")}
            </Button>
          )
        }
      >
        <Head detail={detail.data} all={all} />
      </Panel>
      <Panel flush>
        <Tabs value={tab} onChange={(value) => setParams(value && value !== "contact" ? { agency: id, tab: value } : { agency: id }, { replace: true })} keepMounted={false}>
          <Tabs.List>
            {KINDS.map((kind) => (
              <Tabs.Tab key={kind} value={kind}>
                {t(`agencies.${kind}`)} ({count(numbers[kind])})
              </Tabs.Tab>
            ))}
            <Tabs.Tab value="history">{t("agencies.history")}</Tabs.Tab>
          </Tabs.List>
          {KINDS.map((kind) => (
            <Tabs.Panel key={kind} value={kind}>
              <Records agency={id} kind={kind} />
            </Tabs.Panel>
          ))}
          <Tabs.Panel value="history">
            <History entries={history} />
          </Tabs.Panel>
        </Tabs>
      </Panel>
      <Modal opened={editing} onClose={edit.close} title={t("agencies.edit")} size="lg" closeOnClickOutside={false}>
        <AgencyForm all={all} old={agency} onDone={edit.close} />
      </Modal>
    </div>
  );
}

function Head({ detail, all }: { detail: AgencyDetail; all: readonly AgencyRow[] }) {
  const { t } = useTranslation();
  const { agency, predecessors } = detail;
  const lists = useLists();
  const link = (id: string) => (
    <Anchor key={id} component={Link} to={agencyPath(id)} size="sm">
      {all.find((each) => each.id === id)?.name ?? id}
    </Anchor>
  );
  return (
    <div className={styles.facts}>
      <Badge variant={agency.valid ? "light" : "default"} color="bamboo" tt="none" fw={500} radius="sm">
        {agency.valid ? t("agencies.valid") : t("agencies.ended")}
      </Badge>
      <span>{lists.named(lists.kinds, agency.kind)}</span>
      <span className="dim">{t("agencies.id_mark", { id: agency.id })}</span>
      {agency.code && <span className="dim">{t("agencies.code_mark", { code: agency.code })}</span>}
      {agency.valid_from && <span className="dim">{t("agencies.since", { day: dayText(agency.valid_from) })}</span>}
      {agency.valid_to && <span className="dim">{t("agencies.until", { day: dayText(agency.valid_to) })}</span>}
      {agency.parent_id && <span>{link(agency.parent_id)}</span>}
      {(agency.successors ?? []).length > 0 && (
        <span>
          {t("agencies.became")}: {(agency.successors ?? []).map(link)}
        </span>
      )}
      {predecessors.length > 0 && (
        <span>
          {t("agencies.took_in")}: {predecessors.map(link)}
        </span>
      )}
      {agency.highest_level && (
        <Badge variant="outline" color="gray" tt="none" radius="sm">
          {t("agencies.level", { level: agency.highest_level })}
        </Badge>
      )}
      <Anchor component={Link} size="sm" to={`/alerts?${new URLSearchParams({ agency: agency.id }).toString()}`}>
        <IconBell size={13} aria-hidden /> {t("agencies.open_alerts", { number: count(agency.open_alerts) })}
      </Anchor>
      <span>
        <IconBriefcase size={13} aria-hidden /> {t("agencies.open_cases", { number: count(agency.open_cases) })}
      </span>
      {agency.note && <span style={{ flexBasis: "100%" }}>{agency.note}</span>}
      <SeenBy id={agency.id} />
    </div>
  );
}

function SeenBy({ id }: { id: string }) {
  const { t } = useTranslation();
  const seen = useSeenBy(id);
  if (!seen.data) return null;
  return (
    <span style={{ flexBasis: "100%" }} className="dim">
      {seen.data.length === 0 ? t("agencies.sensors_none") : `${t("agencies.sensors")}: ${seen.data.map(({ value, count: number }) => t("agencies.sensors_events", { name: value, number: count(number) })).join("; ")}`}
    </span>
  );
}

function History({ entries }: { entries: readonly HistoryEntry[] }) {
  const { t } = useTranslation();
  const heading = useAllHeadings();
  const said = (action: string) => (action in vi.agencies.action ? t(`agencies.action.${action as keyof typeof vi.agencies.action}`) : action);
  const columns: ColumnDef<HistoryEntry>[] = [
    { key: "at", title: t("audit.at"), width: 170, cell: (entry) => <Time at={entry.at} style="full" /> },
    { key: "by", title: t("audit.by"), width: 170, cell: (entry) => entry.by?.display_name ?? t("ui.nobody") },
    { key: "what", title: t("agencies.change"), cell: (entry) => `${said(entry.action)}${what(entry.detail, (column) => heading(tableOf(entry.action), column))}` },
  ];
  return <Table label={t("agencies.history")} columns={columns} rows={[...entries].reverse()} rowKey={(entry) => `${entry.at} ${entry.action} ${entry.detail["record"] ?? ""}`} />;
}

/** The table of what was done: records name their kind first (`asset_added`). */
function tableOf(action: string): RegisterTable {
  const kind = KINDS.find((kind) => action.startsWith(`${kind}_`));
  return kind === undefined ? "agencies" : TABLES[kind];
}

/** Whose page it is need not be said in each line. */
const LEFT_OUT = ["record", "kind", "id", "agency"];

function what(detail: Record<string, string>, label: (column: string) => string): string {
  const shown = Object.entries(detail).filter(([name]) => !LEFT_OUT.includes(name));
  return shown.length === 0 ? "" : `: ${shown.map(([name, value]) => `${label(name)} “${value}”`).join(", ")}`;
}
