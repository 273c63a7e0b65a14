// Adds or edits a contact, network, system or asset: one form, whose fields are the columns of its table.
import { Button, Group, Select, SimpleGrid, Stack, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import type { AgencyRecord, RecordContent, RecordKind } from "../../api/types";
import { TABLES, useHeadings, useLists } from "./headings";
import { useRegister, useSaveRecord } from "./queries";

const DAYS = new Set(["valid_from", "valid_to", "verified_on", "decision_date"]);
const LEVELS = ["1", "2", "3", "4", "5"];

type Values = Record<string, string>;

function valuesOf(content: RecordContent): Values {
  return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, String(value ?? "")]));
}

/** What is sent: empty days and levels are left out, a level is a number. */
function contentOf(kind: RecordKind, values: Values): RecordContent {
  const kept = Object.entries(values).filter(([name, value]) => value !== "" || !(DAYS.has(name) || name === "level"));
  const typed = kept.map(([name, value]) => [name, name === "level" ? Number(value) : value]);
  return { ...Object.fromEntries(typed), kind } as RecordContent;
}

export function RecordForm({ agency, kind, old, onDone }: { agency: string; kind: RecordKind; old: AgencyRecord | null; onDone: () => void }) {
  const { t } = useTranslation();
  const table = TABLES[kind];
  const register = useRegister();
  const label = useHeadings(table);
  const lists = useLists();
  const [values, setValues] = useState<Values>(old ? valuesOf(old.content) : {});
  const save = useSaveRecord(agency, old, onDone);
  const columns = (register.data?.table.find(({ id }) => id === table)?.column ?? []).filter(({ id }) => id !== "agency");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(contentOf(kind, values));
  };
  const field = (id: string, needed: boolean) => {
    const common = { key: id, label: label(id), required: needed, withAsterisk: false };
    const set = (value: string) => setValues((before) => ({ ...before, [id]: value }));
    const list = { asset_kind: lists.assetKinds, approval: lists.approvals, level: LEVELS.map((level) => ({ value: level, label: t("agencies.level", { level }) })) }[id];
    const { key, ...rest } = common;
    if (list) return <Select key={key} {...rest} data={list} value={values[id] || null} onChange={(value) => set(value ?? "")} clearable={id === "level"} />;
    if (id === "note") return <Textarea key={key} {...rest} autosize minRows={2} maxLength={2000} value={values[id] ?? ""} onChange={(event) => set(event.currentTarget.value)} />;
    return <TextInput key={key} {...rest} type={DAYS.has(id) ? "date" : id === "email" ? "email" : "text"} maxLength={200} value={values[id] ?? ""} onChange={(event) => set(event.currentTarget.value)} />;
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 1, sm: 2 }}>{columns.filter(({ id }) => id !== "note").map(({ id, needed }) => field(id, needed === true))}</SimpleGrid>
        {columns.some(({ id }) => id === "note") && field("note", false)}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t("ui.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
