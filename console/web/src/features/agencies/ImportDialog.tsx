// Brings a table in: a file is chosen, what it would do is shown with every fault, and only then it is written.
import { Alert, Anchor, Badge, Button, FileInput, Group, Select, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconDownload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { failedWith } from "../../api/client";
import type { ImportPlan, PlannedRow, RegisterTable, RowFault } from "../../api/types";
import { count } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Table, type ColumnDef } from "../../ui/Table";
import styles from "./Agencies.module.css";
import { useHeadings, useLists } from "./headings";
import { bringIn, useRegister } from "./queries";
import { en, vi } from "./words";

/** Rows that are shown of a preview. */
const SHOWN = 200;

export function ImportDialog({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const lists = useLists();
  const register = useRegister();
  const [table, setTable] = useState<RegisterTable>("agencies");
  const [file, setFile] = useState<File | null>(null);
  const label = useHeadings(table);
  const failed = (error: Error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable"));
  const look = useMutation({ mutationFn: ({ which, what }: { which: RegisterTable; what: File }) => bringIn(which, what), onError: failed });
  const [fresh, setFresh] = useState<ImportPlan | null>(null);
  const plan = fresh ?? look.data;
  const write = useMutation({
    mutationFn: ({ what, digest }: { what: File; digest: string }) => bringIn(table, what, digest),
    onSuccess: (done) => {
      notify(t("agencies.imported", { new: count(done.new), changed: count(done.changed) }));
      void queries.invalidateQueries({ queryKey: ["agencies"] });
      onDone();
    },
    onError: (error) => {
      // Somebody was faster: the answer says what the same file would do now.
      if (failedWith(error, 409) && error.body.code === "conflict") setFresh(error.body.current as ImportPlan);
      else failed(error);
    },
  });
  const choose = (which: RegisterTable, what: File | null) => {
    setTable(which);
    setFile(what);
    setFresh(null);
    look.reset();
    if (what) look.mutate({ which, what });
  };
  const columns = register.data?.table.find(({ id }) => id === table)?.column ?? [];
  const changes = (plan?.new ?? 0) + (plan?.changed ?? 0);
  return (
    <Stack gap="sm">
      <Group align="flex-end" gap="sm" grow>
        <Select label={t("agencies.table")} data={lists.tables} value={table} allowDeselect={false} onChange={(value) => choose((value ?? "agencies") as RegisterTable, file)} />
        <FileInput label={t("agencies.file")} placeholder={t("agencies.file_placeholder")} accept=".csv,.xlsx" value={file} onChange={(what) => choose(table, what)} clearable clearButtonProps={{ "aria-label": t("ui.close") }} />
      </Group>
      <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
        <Text size="xs" c="dimmed">
          {t("agencies.columns", { list: columns.map(({ id, needed }) => `${label(id)}${needed ? "*" : ""}`).join(", ") })}
        </Text>
        <Anchor size="xs" href={`/api/v1/register/export/${table}`} download style={{ whiteSpace: "nowrap" }}>
          <IconDownload size={13} aria-hidden /> {t("agencies.export")}
        </Anchor>
      </Group>
      {fresh && (
        <Alert variant="light" color="yellow" icon={<IconAlertTriangle size={16} />} p="xs">
          {t("agencies.stale")}
        </Alert>
      )}
      {plan && <Preview plan={plan} label={label} />}
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onDone}>
          {t("ui.cancel")}
        </Button>
        <Button disabled={!plan || !file || plan.fault_count > 0 || changes === 0} loading={look.isPending || write.isPending} onClick={() => file && plan && write.mutate({ what: file, digest: plan.digest })}>
          {changes === 0 ? t("agencies.nothing") : t("agencies.apply", { number: count(changes) })}
        </Button>
      </Group>
    </Stack>
  );
}

function Preview({ plan, label }: { plan: ImportPlan; label: (column: string) => string }) {
  const { t, i18n } = useTranslation();
  const words: Record<string, string> = (i18n.language === "vi" ? vi : en).agencies.fault;
  const faults: ColumnDef<RowFault>[] = [
    { key: "row", title: t("agencies.row"), width: 60, align: "right", cell: ({ row }) => row },
    { key: "column", title: t("agencies.column"), width: 150, cell: ({ column }) => label(column) },
    { key: "value", title: t("agencies.value"), cell: ({ value }) => <span className="mono">{value}</span> },
    { key: "what", title: t("agencies.what"), cell: ({ code, message }) => words[code] ?? message },
  ];
  const rows: ColumnDef<PlannedRow>[] = [
    { key: "row", title: t("agencies.row"), width: 60, align: "right", cell: ({ row }) => row },
    {
      key: "state",
      title: "",
      width: 80,
      cell: ({ state }) => (
        <Badge variant="light" color={state === "new" ? "bamboo" : "yellow"} tt="none" fw={500} radius="sm">
          {state === "new" ? t("agencies.kind_new") : t("agencies.kind_changed")}
        </Badge>
      ),
    },
    { key: "name", title: t("agencies.title"), cell: ({ agency, name }) => `${name} (${agency})` },
    { key: "change", title: t("agencies.change"), cell: ({ changes }) => changes.map(({ column, before, after }) => `${label(column)}: ${before || "–"} → ${after || "–"}`).join("; ") },
  ];
  const changed = plan.rows.filter(({ state }) => state !== "unchanged");
  return (
    <div aria-live="polite">
      {plan.fault_count > 0 ? (
        <Stack gap="xs">
          <Alert variant="light" color="red" icon={<IconAlertTriangle size={16} />} p="xs">
            {t("agencies.faults", { number: count(plan.fault_count) })}
          </Alert>
          <div className={styles.scroll} tabIndex={0} role="region" aria-label={t("agencies.what")}>
            <Table label={t("agencies.what")} columns={faults} rows={plan.faults} rowKey={({ row, column, code, value }) => `${row} ${column} ${code} ${value}`} />
          </div>
        </Stack>
      ) : (
        <Stack gap="xs">
          <Text size="sm" fw={500}>
            {t("agencies.preview", { new: count(plan.new), changed: count(plan.changed), unchanged: count(plan.unchanged) })}
          </Text>
          {plan.missing.length > 0 && (
            <Text size="xs" c="dimmed">
              {t("agencies.missing", { number: count(plan.missing.length) })}
            </Text>
          )}
          {changed.length > 0 && (
            <div className={styles.scroll} tabIndex={0} role="region" aria-label={t("agencies.change")}>
              <Table label={t("agencies.change")} columns={rows} rows={changed.slice(0, SHOWN)} rowKey={({ row }) => String(row)} />
              {changed.length > SHOWN && (
                <Text size="xs" c="dimmed" p="xs">
                  {t("agencies.more_rows", { number: count(changed.length - SHOWN) })}
                </Text>
              )}
            </div>
          )}
        </Stack>
      )}
    </div>
  );
}
