// Agencies: the tree on the left, the one that is chosen on the right. Which one is chosen stands in the address.
import { Button, Modal, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBuilding, IconFileImport, IconPlus, IconSearch } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { useCaller, usePermissions } from "../../api/session";
import { useAgencies } from "../../api/shared";
import type { AgencyRow } from "../../api/types";
import { count } from "../../ui/format";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import styles from "./Agencies.module.css";
import { AgencyForm } from "./AgencyForm";
import { AgencyView } from "./AgencyView";
import { ImportDialog } from "./ImportDialog";
import { agencyPath, linesOf } from "./lines";

const ROW_PX = 34;
const lineId = (id: string) => `agency-${id}`;

export default function AgenciesPage() {
  const { t } = useTranslation();
  const id = useSearchParams()[0].get("agency") ?? undefined;
  const may = usePermissions();
  const narrow = useCaller().agency_id !== undefined;
  const agencies = useAgencies();
  const [adding, add] = useDisclosure(false);
  const [importing, bring] = useDisclosure(false);
  const rows = agencies.data;
  return (
    <Page
      wide
      title={t("agencies.title")}
      lead={t("agencies.lead")}
      actions={
        may.cases && (
          <>
            {!narrow && (
              <Button variant="default" leftSection={<IconFileImport size={16} />} onClick={bring.open}>
                {t("agencies.import")}
              </Button>
            )}
            <Button leftSection={<IconPlus size={16} />} onClick={add.open}>
              {t("agencies.add")}
            </Button>
          </>
        )
      }
    >
      {agencies.isPending ? (
        <SkeletonRows />
      ) : agencies.isError || rows === undefined ? (
        <Failed error={agencies.error ?? new Error("")} retry={() => void agencies.refetch()} />
      ) : rows.length === 0 ? (
        <Empty icon={<IconBuilding size={28} className="dim" />} title={t("agencies.empty")}>
          {t("agencies.empty_hint")}
        </Empty>
      ) : (
        <div className={styles.columns}>
          <div className={styles.side}>
            <Tree rows={rows} selected={id} />
          </div>
          {id === undefined ? (
            <Panel>
              <Empty icon={<IconBuilding size={28} className="dim" />} title={t("agencies.choose")}>
                {t("agencies.choose_hint")}
              </Empty>
            </Panel>
          ) : (
            <AgencyView key={id} id={id} all={rows} />
          )}
        </div>
      )}
      <Modal opened={adding} onClose={add.close} title={t("agencies.add")} size="lg" closeOnClickOutside={false}>
        <AgencyForm all={rows ?? []} parent={id} onDone={add.close} />
      </Modal>
      <Modal opened={importing} onClose={bring.close} title={t("agencies.import")} size="xl" closeOnClickOutside={false}>
        <ImportDialog onDone={bring.close} />
      </Modal>
    </Page>
  );
}

function Tree({ rows, selected }: { rows: readonly AgencyRow[]; selected: string | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [search, setSearch] = useState("");
  const lines = useMemo(() => linesOf(rows, search), [rows, search]);
  const list = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => list.current, estimateSize: () => ROW_PX, getItemKey: (at) => lines[at]?.agency.id ?? at, overscan: 12 });
  const at = lines.findIndex(({ agency }) => agency.id === selected);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [at, virtual]);
  const go = (line: number) => {
    const to = lines[Math.min(Math.max(line, 0), lines.length - 1)];
    if (to) void navigate(agencyPath(to.agency.id), { replace: selected !== undefined });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1, PageDown: at + 15, PageUp: at - 15 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  const inSight = virtual.getVirtualItems();
  const due = rows.reduce((sum, { contacts_due }) => sum + contacts_due, 0);
  return (
    <Panel flush>
      <div className={styles.find}>
        <TextInput size="xs" aria-label={t("agencies.search")} placeholder={t("agencies.search")} leftSection={<IconSearch size={14} />} value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
      </div>
      {lines.length === 0 ? (
        <Empty title={t("agencies.no_match")} />
      ) : (
        <div className={styles.tree} ref={list} role="tree" tabIndex={0} aria-label={t("agencies.tree")} aria-activedescendant={selected !== undefined && inSight.some(({ index }) => index === at) ? lineId(selected) : undefined} onKeyDown={onKeyDown}>
          <div className={styles.whole} style={{ height: virtual.getTotalSize() }} role="presentation">
            {inSight.map(({ index, key, start }) => {
              const line = lines[index];
              if (!line) return null;
              const { agency, depth, faint } = line;
              return (
                <div key={key} id={lineId(agency.id)} role="treeitem" aria-level={depth + 1} aria-selected={agency.id === selected} className={`${styles.line} ${agency.valid ? "" : styles.ended} ${faint ? styles.faint : ""}`} style={{ transform: `translateY(${start}px)`, paddingLeft: 10 + depth * 18 }} onClick={() => go(index)}>
                  <span className={styles.name} title={agency.name}>
                    {agency.name}
                  </span>
                  {agency.open_alerts > 0 && <span className={styles.number}>{t("agencies.open_alerts", { number: count(agency.open_alerts) })}</span>}
                </div>
              );
            })}
          </div>
        </div>
      )}
      <div className={styles.foot}>
        <span>{t("agencies.total", { number: count(rows.length) })}</span>
        {due > 0 && <span>{t("agencies.due_total", { number: count(due) })}</span>}
      </div>
    </Panel>
  );
}
