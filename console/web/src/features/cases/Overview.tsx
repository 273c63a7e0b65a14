// What is known of a case: summary, three classifications, affected systems, what forms ask for.
import { ActionIcon, Button, Group, NumberInput, Select, SimpleGrid, TextInput, Tooltip } from "@mantine/core";
import { DateTimePicker } from "@mantine/dates";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import type { CaseDetail, CitedList } from "../../api/types";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { EditableText } from "./EditableText";
import { useCaseAction, useCaseData, useChangeCase } from "./queries";
import { fromPicker, toPicker } from "../../ui/moments";
import styles from "./Case.module.css";

const LEVELS = ["1", "2", "3", "4", "5"];

export function Overview({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const change = useChangeCase(detail);
  return (
    <>
      <EditableText
        title={t("cases.summary")}
        hint={t("cases.summary_hint")}
        empty={t("cases.summary_empty")}
        text={detail.summary}
        editable={editable}
        busy={change.isPending}
        onSave={(summary, done) => change.mutate({ summary }, { onSuccess: () => (notify(t("cases.saved")), done()) })}
      />
      <Classes detail={detail} editable={editable} />
      <Systems detail={detail} editable={editable} />
      <Forms detail={detail} editable={editable} />
    </>
  );
}

function useChoices() {
  const { named } = useCaseData();
  return (list: CitedList) => list.entry.map((entry) => ({ value: entry.id, label: named(entry) }));
}

function Classes({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const { data, name } = useCaseData();
  const choices = useChoices();
  const change = useChangeCase(detail);
  const { facts } = detail;
  const proposed = data.national.entry.find((entry) => entry.id === facts.national)?.proposes ?? [];
  const hint = (id: string | null | undefined, list: CitedList) => {
    const offer = proposed.find((each) => list.entry.some((entry) => entry.id === each));
    return offer !== undefined && offer !== id ? t("cases.proposed", { name: name(offer) }) : undefined;
  };
  const fields = [
    { key: "national", value: facts.national, list: data.national, note: undefined },
    { key: "rsit", value: facts.rsit, list: data.rsit, note: hint(facts.rsit, data.rsit) },
    { key: "internal", value: facts.internal, list: data.internal, note: hint(facts.internal, data.internal) },
  ] as const;
  return (
    <Panel title={t("cases.classes")} aside={<span className={styles.aside}>{t("cases.classes_hint")}</span>}>
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
        {fields.map(({ key, value, list, note }) => (
          <Select
            key={key}
            label={
              <Tooltip label={list.citation} multiline maw={360}>
                <span>{t(`cases.class.${key}`)}</span>
              </Tooltip>
            }
            description={note}
            inputWrapperOrder={["label", "input", "description", "error"]}
            placeholder={t("cases.not_chosen")}
            value={value ?? null}
            disabled={!editable}
            searchable
            clearable
            data={choices(list)}
            onChange={(chosen) => change.mutate({ [key]: chosen ?? "" })}
          />
        ))}
      </SimpleGrid>
    </Panel>
  );
}

function Systems({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState("");
  const [level, setLevel] = useState<string | null>(null);
  const [operator, setOperator] = useState("");
  const path = { id: detail.id };
  const add = useCaseAction(detail.id, () =>
    must(client.POST("/api/v1/cases/{id}/systems", { params: { path }, body: { name: name.trim(), operator: operator.trim(), ...(level ? { level: Number(level) } : {}) } })),
  );
  const remove = useCaseAction(detail.id, (system: string) => must(client.DELETE("/api/v1/cases/{id}/systems/{system}", { params: { path: { ...path, system } } })));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(undefined, {
      onSuccess: () => {
        setName("");
        setLevel(null);
        setOperator("");
        setAdding(false);
      },
    });
  };
  const more = editable && !adding && (
    <Button size="compact-xs" variant="subtle" className="no-print" leftSection={<IconPlus size={13} />} onClick={() => setAdding(true)}>
      {t("cases.system_add")}
    </Button>
  );
  return (
    <Panel title={t("cases.systems")} aside={more}>
      {detail.systems.length === 0 && !adding && <span className="dim">{t("cases.systems_empty")}</span>}
      {detail.systems.length > 0 && (
        <ul className={styles.rows}>
          {detail.systems.map((system) => (
            <li key={system.id}>
              <span className={styles.level}>{system.level ? t("cases.level", { level: system.level }) : t("cases.level_unknown")}</span>
              <span className={styles.grow}>
                <b>{system.name}</b>
                {system.operator && <span className="dim"> · {system.operator}</span>}
              </span>
              {editable && (
                <ActionIcon variant="subtle" color="gray" className="no-print" aria-label={`${t("ui.remove")}: ${system.name}`} onClick={() => remove.mutate(system.id)}>
                  <IconTrash size={15} />
                </ActionIcon>
              )}
            </li>
          ))}
        </ul>
      )}
      {adding && (
        <form onSubmit={submit}>
          <Group gap="xs" align="flex-end" mt={detail.systems.length > 0 ? "sm" : 0}>
            <TextInput size="xs" label={t("cases.system_name")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={200} className={styles.grow} autoFocus />
            <Select size="xs" w={110} label={t("cases.level_label")} value={level} onChange={setLevel} clearable data={LEVELS} />
            <TextInput size="xs" label={t("cases.system_operator")} value={operator} onChange={(event) => setOperator(event.currentTarget.value)} maxLength={200} />
            <Button size="xs" type="submit" loading={add.isPending} disabled={name.trim() === ""}>
              {t("cases.add")}
            </Button>
            <Button size="xs" variant="default" onClick={() => setAdding(false)}>
              {t("ui.cancel")}
            </Button>
          </Group>
        </form>
      )}
    </Panel>
  );
}

function Forms({ detail, editable }: { detail: CaseDetail; editable: boolean }) {
  const { t } = useTranslation();
  const { data } = useCaseData();
  const choices = useChoices();
  const change = useChangeCase(detail);
  const { facts } = detail;
  const [helpers, setHelpers] = useState<string | null>(null);
  const [damage, setDamage] = useState<number | string | null>(null);
  const leave = () => {
    if (helpers !== null && helpers !== facts.helpers) change.mutate({ helpers }, { onSuccess: () => setHelpers(null) });
  };
  const leaveDamage = () => {
    const wish = damage === "" ? -1 : damage;
    if (typeof wish === "number" && wish !== (facts.damage_vnd ?? -1)) change.mutate({ damage_vnd: wish }, { onSuccess: () => setDamage(null) });
  };
  return (
    <Panel title={t("cases.forms")} aside={<span className={styles.aside}>{t("cases.forms_hint")}</span>}>
      <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
        <DateTimePicker label={t("cases.detected_at")} valueFormat="DD/MM/YYYY HH:mm" value={toPicker(facts.detected_at)} disabled={!editable} onChange={(value) => value && change.mutate({ detected_at: fromPicker(value) })} />
        <DateTimePicker label={t("cases.occurred_at")} valueFormat="DD/MM/YYYY HH:mm" clearable value={toPicker(facts.occurred_at)} disabled={!editable} onChange={(value) => change.mutate({ occurred_at: value ? fromPicker(value) : "" })} />
        <Select label={t("cases.handled_by")} placeholder={t("cases.not_chosen")} clearable value={facts.handled_by ?? null} disabled={!editable} data={choices(data.handled)} onChange={(value) => change.mutate({ handled_by: value ?? "" })} />
        <TextInput label={t("cases.helpers")} value={helpers ?? facts.helpers} disabled={!editable} maxLength={2000} onChange={(event) => setHelpers(event.currentTarget.value)} onBlur={leave} />
        <NumberInput label={t("cases.damage")} suffix=" đ" thousandSeparator="." decimalSeparator="," min={0} allowDecimal={false} value={damage ?? facts.damage_vnd ?? ""} disabled={!editable} onChange={setDamage} onBlur={leaveDamage} />
      </SimpleGrid>
    </Panel>
  );
}
