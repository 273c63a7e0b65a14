// A notice rule being written: conditions, recipients, rhythm, and the steps of its ladder.
import { ActionIcon, Button, Chip, Group, MultiSelect, NumberInput, Select, Stack, Switch, TextInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useAgencies, useRules } from "../../api/shared";
import { SEVERITIES, type LadderStep, type NoticeRuleBody, type NoticeTarget } from "../../api/types";
import { notify } from "../../ui/notify";
import { newStep, useNoticeChange } from "./queries";
import { TargetInput } from "./TargetInput";
import styles from "./Notices.module.css";

export const DAYS = ["1", "2", "3", "4", "5", "6", "7"] as const;
const RHYTHMS = ["at_once", "hourly", "daily"] as const;

interface Props {
  id?: string;
  version: number;
  rule: NoticeRuleBody;
  onDone: () => void;
}

export function RuleForm({ id, version, rule: before, onDone }: Props) {
  const { t, i18n } = useTranslation();
  const [rule, setRule] = useState<NoticeRuleBody>(before);
  const change = (part: Partial<NoticeRuleBody>) => setRule((now) => ({ ...now, ...part }));
  const rules = useRules();
  const agencies = useAgencies();
  const save = useNoticeChange(
    (body: NoticeRuleBody) =>
      id === undefined
        ? must(client.POST("/api/v1/notice-rules", { body: { rule: body } }))
        : must(client.PUT("/api/v1/notice-rules/{id}", { params: { path: { id } }, body: { rule: body, version } })),
    () => {
      notify(t("notices.rule.saved"));
      onDone();
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { from, until, daily_at, ...rest } = rule;
    save.mutate({ ...rest, ...(from ? { from } : {}), ...(until ? { until } : {}), ...(daily_at && rule.rhythm === "daily" ? { daily_at } : {}) });
  };
  const targets = rule.targets ?? [];
  const ladder = rule.ladder ?? [];
  const setTarget = (at: number, target: NoticeTarget) => change({ targets: targets.map((one, place) => (place === at ? target : one)) });
  const setStep = (at: number, step: LadderStep) => change({ ladder: ladder.map((one, place) => (place === at ? step : one)) });
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Group align="end" wrap="nowrap">
          <TextInput style={{ flex: 1 }} label={t("notices.rule.name")} value={rule.name} maxLength={80} onChange={(event) => change({ name: event.currentTarget.value })} required withAsterisk={false} data-autofocus />
          <Switch mb={8} label={t("notices.rule.enabled")} checked={rule.enabled} onChange={(event) => change({ enabled: event.currentTarget.checked })} />
        </Group>
        <div className={styles.pair}>
          <Select label={t("notices.rule.severity")} value={rule.severity} data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))} onChange={(value) => change({ severity: SEVERITIES.find((each) => each === value) ?? "high" })} />
          <Select
            label={t("notices.rule.rhythm")}
            value={rule.rhythm ?? "at_once"}
            data={RHYTHMS.map((value) => ({ value, label: t(`notices.rule.rhythms.${value}`) }))}
            onChange={(value) => change({ rhythm: RHYTHMS.find((each) => each === value) ?? "at_once" })}
          />
          <MultiSelect
            label={t("notices.rule.rules")}
            placeholder={(rule.rules ?? []).length === 0 ? t("notices.rule.every") : undefined}
            searchable
            limit={50}
            value={rule.rules ?? []}
            data={(rules.data?.rules ?? []).map(({ rule: one }) => ({ value: one.id, label: (i18n.language === "vi" && one.name_vi) || one.name }))}
            onChange={(value) => change({ rules: value })}
          />
          <MultiSelect
            label={t("notices.rule.agencies")}
            placeholder={(rule.agencies ?? []).length === 0 ? t("notices.rule.every") : undefined}
            searchable
            limit={50}
            value={rule.agencies ?? []}
            data={(agencies.data ?? []).map(({ id: value, name: label }) => ({ value, label }))}
            onChange={(value) => change({ agencies: value })}
          />
        </div>
        <fieldset className={styles.set}>
          <legend>{t("notices.rule.days")}</legend>
          <Chip.Group multiple value={(rule.days ?? []).map(String)} onChange={(days) => change({ days: days.map(Number).sort() })}>
            <Group gap={6}>
              {DAYS.map((day) => (
                <Chip key={day} value={day} size="xs" radius="sm" aria-label={t(`notices.rule.day_long.${day}`)}>
                  {t(`notices.rule.day.${day}`)}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
        </fieldset>
        <div>
          <div className={styles.pair}>
            <TextInput type="time" label={t("notices.rule.from")} value={rule.from ?? ""} onChange={(event) => change({ from: event.currentTarget.value })} />
            <TextInput type="time" label={t("notices.rule.until")} value={rule.until ?? ""} onChange={(event) => change({ until: event.currentTarget.value })} />
            {rule.rhythm === "daily" && <TextInput type="time" label={t("notices.rule.daily_at")} value={rule.daily_at ?? "08:00"} onChange={(event) => change({ daily_at: event.currentTarget.value })} />}
          </div>
          <p className={styles.hint}>{t("notices.rule.hours_hint")}</p>
        </div>
        <fieldset className={styles.set}>
          <legend>{t("notices.rule.targets")}</legend>
          <div className={styles.rows}>
            {targets.map((target, at) => (
              <div key={at} className={styles.row}>
                <TargetInput target={target} onChange={(next) => setTarget(at, next)} />
                <span />
                <Remove what={t("notices.rule.targets")} onRemove={() => change({ targets: targets.filter((_, place) => place !== at) })} />
              </div>
            ))}
            <div>
              <Button size="compact-xs" variant="default" onClick={() => change({ targets: [...targets, { kind: "user", value: "" }] })}>
                {t("notices.rule.add_target")}
              </Button>
            </div>
          </div>
        </fieldset>
        <fieldset className={styles.set}>
          <legend>{t("notices.rule.ladder")}</legend>
          <p className={styles.hint}>{t("notices.rule.ladder_hint")}</p>
          <div className={styles.rows}>
            {ladder.map((step, at) => (
              <div key={at} className={styles.row}>
                <TargetInput ladder target={step.target} onChange={(target) => setStep(at, { ...step, target })} />
                <NumberInput w={120} min={1} max={1440} label={t("notices.rule.wait")} value={step.wait_minutes} onChange={(value) => setStep(at, { ...step, wait_minutes: Number(value) || 1 })} />
                <Remove what={t("notices.rule.step", { number: at + 1 })} onRemove={() => change({ ladder: ladder.filter((_, place) => place !== at) })} />
              </div>
            ))}
            <div>
              <Button size="compact-xs" variant="default" disabled={ladder.length >= 8} onClick={() => change({ ladder: [...ladder, newStep] })}>
                {t("notices.rule.add_step")}
              </Button>
            </div>
          </div>
        </fieldset>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={rule.name.trim() === ""}>
            {t("ui.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Remove({ what, onRemove }: { what: string; onRemove: () => void }) {
  const { t } = useTranslation();
  return (
    <ActionIcon variant="subtle" color="gray" mb={4} aria-label={t("notices.rule.remove", { what })} onClick={onRemove}>
      <IconX size={16} />
    </ActionIcon>
  );
}
