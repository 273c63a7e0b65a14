// The contacts, networks, systems or assets of an agency, page by page.
import { Badge, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { usePermissions } from "../../api/session";
import type { AgencyRecord, RecordKind } from "../../api/types";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import styles from "./Agencies.module.css";
import { TABLES, useHeadings, useLists } from "./headings";
import { dayText } from "./lines";
import { useRecords, useRemoveRecord, useVerify } from "./queries";
import { RecordForm } from "./RecordForm";

export function Records({ agency, kind }: { agency: string; kind: RecordKind }) {
  const { t } = useTranslation();
  const may = usePermissions();
  const [text, setText] = useState("");
  const [typed] = useDebouncedValue(text, 200);
  const records = useRecords(agency, kind, typed);
  const [form, setForm] = useState<{ old: AgencyRecord | null } | null>(null);
  const [removing, setRemoving] = useState<AgencyRecord | null>(null);
  const remove = useRemoveRecord(() => setRemoving(null));
  const rows = records.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div>
      <div className={styles.tools}>
        {kind === "asset" ? <TextInput size="xs" w={240} aria-label={t("agencies.find_asset")} placeholder={t("agencies.find_asset")} leftSection={<IconSearch size={14} />} value={text} onChange={(event) => setText(event.currentTarget.value)} /> : <span />}
        {may.cases && (
          <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} onClick={() => setForm({ old: null })}>
            {t(`agencies.add_record.${kind}`)}
          </Button>
        )}
      </div>
      {records.isPending ? (
        <SkeletonRows rows={4} />
      ) : records.isError ? (
        <Failed error={records.error} retry={() => void records.refetch()} />
      ) : rows.length === 0 ? (
        <Empty title={typed === "" ? t(`agencies.none.${kind}`) : t("agencies.no_match")} />
      ) : (
        <Rows kind={kind} rows={rows} onEdit={(old) => setForm({ old })} onRemove={setRemoving} />
      )}
      {records.hasNextPage && (
        <Group justify="center" p="xs">
          <Button variant="default" size="xs" loading={records.isFetchingNextPage} onClick={() => void records.fetchNextPage()}>
            {t("ui.more")}
          </Button>
        </Group>
      )}
      <Modal opened={form !== null} onClose={() => setForm(null)} title={form?.old ? t("agencies.edit_record") : t(`agencies.add_record.${kind}`)} size="lg" closeOnClickOutside={false}>
        {form && <RecordForm agency={agency} kind={kind} old={form.old} onDone={() => setForm(null)} />}
      </Modal>
      <Modal opened={removing !== null} onClose={() => setRemoving(null)} title={t("agencies.remove_record")}>
        {removing && (
          <Stack gap="sm">
            <Text size="sm">{t("agencies.remove_sure", { name: nameOf(removing) })}</Text>
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={() => setRemoving(null)}>
                {t("ui.cancel")}
              </Button>
              <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(removing)}>
                {t("agencies.remove_record")}
              </Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </div>
  );
}

function nameOf({ content }: AgencyRecord): string {
  return (content.kind === "network" ? content.network : content.name) ?? "";
}

function Rows({ kind, rows, onEdit, onRemove }: { kind: RecordKind; rows: readonly AgencyRecord[]; onEdit: (row: AgencyRecord) => void; onRemove: (row: AgencyRecord) => void }) {
  const { t } = useTranslation();
  const may = usePermissions();
  const verify = useVerify();
  const columns: ColumnDef<AgencyRecord>[] = [
    ...useColumns(kind),
    {
      key: "actions",
      title: "",
      align: "right",
      cell: (row) =>
        may.cases && (
          <Group gap={4} justify="flex-end" wrap="nowrap">
            {row.due && (
              <Button size="compact-xs" variant="light" onClick={() => verify.mutate(row)} aria-label={`${t("agencies.verify")}: ${nameOf(row)}`}>
                {t("agencies.verify")}
              </Button>
            )}
            <Button size="compact-xs" variant="subtle" onClick={() => onEdit(row)} aria-label={`${t("agencies.edit_record")}: ${nameOf(row)}`}>
              {t("agencies.edit_record")}
            </Button>
            <Button size="compact-xs" variant="subtle" color="red" onClick={() => onRemove(row)} aria-label={`${t("agencies.remove_record")}: ${nameOf(row)}`}>
              {t("agencies.remove_record")}
            </Button>
          </Group>
        ),
    },
  ];
  return <Table label={t(`agencies.${kind}`)} columns={columns} rows={rows} rowKey={(row) => row.id} />;
}

function Two({ main, below }: { main: ReactNode; below?: string }) {
  return (
    <div>
      {main}
      {below && <div className="dim">{below}</div>}
    </div>
  );
}

/** The columns of a kind; each cell looks only at records of its own kind. */
function useColumns(kind: RecordKind): ColumnDef<AgencyRecord>[] {
  const { t } = useTranslation();
  const lists = useLists();
  const label = useHeadings(TABLES[kind]);
  const column = (key: string, cell: (row: AgencyRecord) => ReactNode): ColumnDef<AgencyRecord> => ({ key, title: label(key), cell });
  const span = (from?: string | null, to?: string | null) => [from && t("agencies.since", { day: dayText(from) }), to && t("agencies.until", { day: dayText(to) })].filter(Boolean).join(" ") || t("agencies.forever");
  switch (kind) {
    case "contact":
      return [
        column("name", ({ content }) => content.kind === "contact" && <Two main={content.name} below={content.role} />),
        column("email", ({ content }) => content.kind === "contact" && <Two main={content.email} below={content.telephone} />),
        column("verified_on", ({ content, due, due_on }) =>
          content.kind === "contact" ? (
            <Two main={content.verified_on ? dayText(content.verified_on) : t("agencies.never")} below={due || !due_on ? undefined : t("agencies.due_on", { day: dayText(due_on) })} />
          ) : null,
        ),
        { key: "due", title: "", cell: ({ due }) => due && <Badge variant="light" color="yellow" tt="none" fw={500} radius="sm">{t("agencies.due")}</Badge> },
      ];
    case "network":
      return [
        column("network", ({ content }) => content.kind === "network" && <span className="mono">{content.network}</span>),
        column("valid_from", ({ content }) => content.kind === "network" && span(content.valid_from, content.valid_to)),
        column("note", ({ content }) => content.kind === "network" && content.note),
      ];
    case "system":
      return [
        column("name", ({ content }) => content.kind === "system" && <Two main={content.name} below={content.operator} />),
        column("level", ({ content }) => content.kind === "system" && content.level && <Badge variant="outline" color="gray" tt="none" radius="sm">{t("agencies.level", { level: content.level })}</Badge>),
        column("approval", ({ content }) =>
          content.kind === "system" ? <Two main={lists.named(lists.approvals, content.approval ?? "")} below={[content.decision_number, content.decision_date && dayText(content.decision_date), content.decision_authority].filter(Boolean).join(", ")} /> : null,
        ),
        column("note", ({ content }) => content.kind === "system" && content.note),
      ];
    case "asset":
      return [
        column("name", ({ content }) => content.kind === "asset" && <Two main={content.name} below={content.system} />),
        column("asset_kind", ({ content }) => content.kind === "asset" && lists.named(lists.assetKinds, content.asset_kind ?? "")),
        column("address", ({ content }) => content.kind === "asset" && <span className="mono">{content.address}</span>),
        column("place", ({ content }) => content.kind === "asset" && <Two main={content.place} below={content.note} />),
      ];
  }
}
