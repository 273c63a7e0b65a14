// Adds or edits an agency; the labels are the headings of the table in which agencies are brought in.
import { Button, Group, MultiSelect, Select, SimpleGrid, Stack, Textarea, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import type { AgencyFields, AgencyRow } from "../../api/types";
import { useHeadings, useLists } from "./headings";
import { useSaveAgency } from "./queries";

interface FormProps {
  all: readonly AgencyRow[];
  /** The agency that is edited; a new one where it is missing. */
  old?: AgencyRow;
  /** Under whom a new one would stand. */
  parent?: string;
  onDone: () => void;
}

const fieldsOf = ({ code, name, kind, parent_id, valid_from, valid_to, successors, note }: AgencyRow): AgencyFields => ({ code: code ?? null, name, kind, parent_id: parent_id ?? null, valid_from: valid_from ?? null, valid_to: valid_to ?? null, successors: successors ?? [], note });

export function AgencyForm({ all, old, parent, onDone }: FormProps) {
  const { t } = useTranslation();
  const label = useHeadings("agencies");
  const lists = useLists();
  const [id, setId] = useState(old?.id ?? "");
  const [fields, setFields] = useState<AgencyFields>(old ? fieldsOf(old) : { code: null, name: "", kind: "department", parent_id: parent ?? null, valid_from: null, valid_to: null, successors: [], note: "" });
  const save = useSaveAgency(onDone);
  const set = (change: Partial<AgencyFields>) => setFields((before) => ({ ...before, ...change }));
  const others = all.filter((each) => each.id !== old?.id).map((each) => ({ value: each.id, label: each.name }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ id: id.trim(), version: old?.version, fields });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {old === undefined && <TextInput label={t("agencies.id")} description={t("agencies.id_hint")} value={id} onChange={(event) => setId(event.currentTarget.value)} required withAsterisk={false} maxLength={64} pattern="[a-z0-9._\-]+" className="mono" data-autofocus />}
        <TextInput label={label("name")} value={fields.name} onChange={(event) => set({ name: event.currentTarget.value })} required withAsterisk={false} maxLength={200} />
        <SimpleGrid cols={2}>
          <Select label={label("kind")} value={fields.kind} onChange={(kind) => set({ kind: kind ?? "other" })} data={lists.kinds} allowDeselect={false} />
          <TextInput label={label("code")} value={fields.code ?? ""} onChange={(event) => set({ code: event.currentTarget.value || null })} maxLength={64} />
        </SimpleGrid>
        <Select label={label("parent")} value={fields.parent_id} onChange={(value) => set({ parent_id: value })} data={others} searchable clearable limit={50} />
        <SimpleGrid cols={2}>
          <TextInput type="date" label={label("valid_from")} value={fields.valid_from ?? ""} onChange={(event) => set({ valid_from: event.currentTarget.value || null })} />
          <TextInput type="date" label={label("valid_to")} value={fields.valid_to ?? ""} onChange={(event) => set({ valid_to: event.currentTarget.value || null })} />
        </SimpleGrid>
        <MultiSelect label={label("successors")} value={fields.successors} onChange={(successors) => set({ successors })} data={others} searchable clearable limit={50} />
        <Textarea label={label("note")} autosize minRows={2} maxLength={2000} value={fields.note} onChange={(event) => set({ note: event.currentTarget.value })} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={fields.name === "" || id.trim() === ""}>
            {t("ui.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
