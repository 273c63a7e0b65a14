// A roster being written, and somebody who stands in.
import { ActionIcon, Button, Group, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useColleagues } from "../../api/shared";
import type { Handover, Roster, SaveRoster } from "../../api/types";
import { today } from "../../ui/format";
import { fromPicker } from "../../ui/moments";
import { notify } from "../../ui/notify";
import { useRosterChange } from "./queries";
import styles from "./Rosters.module.css";

const DAYS = ["1", "2", "3", "4", "5", "6", "7"] as const;

function usePeople() {
  const people = useColleagues();
  return (people.data ?? []).map(({ id, display_name }) => ({ value: id, label: display_name }));
}

export function RosterForm({ roster, onDone }: { roster?: Roster; onDone: () => void }) {
  const { t } = useTranslation();
  const people = usePeople();
  const [wish, setWish] = useState<SaveRoster>(() =>
    roster
      ? { name: roster.name, weeks: roster.weeks, first_day: roster.first_day, handovers: roster.handovers, version: roster.version }
      : { name: "", weeks: 1, first_day: today(), handovers: [{ week: 1, day: 1, time: "08:00", user_id: "" }], version: 0 },
  );
  const change = (part: Partial<SaveRoster>) => setWish((now) => ({ ...now, ...part }));
  const setHandover = (at: number, part: Partial<Handover>) => change({ handovers: wish.handovers.map((one, place) => (place === at ? { ...one, ...part } : one)) });
  const save = useRosterChange(
    (body: SaveRoster) => (roster ? must(client.PUT("/api/v1/rosters/{id}", { params: { path: { id: roster.id } }, body })) : must(client.POST("/api/v1/rosters", { body }))),
    () => {
      notify(t("rosters.saved"));
      onDone();
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(wish);
  };
  const complete = wish.name.trim() !== "" && wish.handovers.every((one) => one.user_id !== "" && one.time !== "");
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={t("rosters.name")} value={wish.name} maxLength={80} required withAsterisk={false} onChange={(event) => change({ name: event.currentTarget.value })} data-autofocus />
        <Group grow>
          <NumberInput label={t("rosters.weeks")} min={1} max={8} value={wish.weeks} onChange={(value) => change({ weeks: Number(value) || 1 })} />
          <TextInput type="date" label={t("rosters.first_day")} value={wish.first_day} onChange={(event) => change({ first_day: event.currentTarget.value })} />
        </Group>
        <fieldset className={styles.set}>
          <legend>{t("rosters.handovers")}</legend>
          <p className={styles.hint}>{t("rosters.handovers_hint")}</p>
          {wish.handovers.map((one, at) => (
            <div key={at} className={styles.handover} data-weeks={wish.weeks > 1}>
              {wish.weeks > 1 && <NumberInput label={t("rosters.week")} min={1} max={wish.weeks} value={one.week} onChange={(value) => setHandover(at, { week: Number(value) || 1 })} />}
              <Select label={t("rosters.day")} value={String(one.day)} data={DAYS.map((day) => ({ value: day, label: t(`notices.rule.day_long.${day}`) }))} onChange={(day) => setHandover(at, { day: Number(day) || 1 })} />
              <TextInput type="time" label={t("rosters.time")} value={one.time} onChange={(event) => setHandover(at, { time: event.currentTarget.value })} />
              <Select label={t("rosters.who")} searchable value={one.user_id || null} data={people} onChange={(user) => setHandover(at, { user_id: user ?? "" })} />
              <ActionIcon variant="subtle" color="gray" mb={4} aria-label={t("rosters.remove", { number: at + 1 })} onClick={() => change({ handovers: wish.handovers.filter((_, place) => place !== at) })}>
                <IconX size={16} />
              </ActionIcon>
            </div>
          ))}
          <Button mt={8} size="compact-xs" variant="default" onClick={() => change({ handovers: [...wish.handovers, { week: 1, day: 1, time: "08:00", user_id: "" }] })}>
            {t("rosters.add_handover")}
          </Button>
        </fieldset>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={!complete}>
            {t("ui.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function StandInForm({ roster, onDone }: { roster: Roster; onDone: () => void }) {
  const { t } = useTranslation();
  const people = usePeople();
  const [user, setUser] = useState("");
  const [from, setFrom] = useState(`${today()}T00:00`);
  const [to, setTo] = useState("");
  const [reason, setReason] = useState("");
  const save = useRosterChange(
    () => must(client.POST("/api/v1/rosters/{id}/overrides", { params: { path: { id: roster.id } }, body: { user_id: user, from: fromPicker(from), to: fromPicker(to), reason: reason.trim() } })),
    () => {
      notify(t("rosters.arranged"));
      onDone();
    },
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(undefined);
      }}
    >
      <Stack gap="sm">
        <Select label={t("rosters.stand_in_who")} searchable value={user || null} data={people} onChange={(next) => setUser(next ?? "")} data-autofocus />
        <Group grow>
          <TextInput type="datetime-local" label={t("rosters.from")} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
          <TextInput type="datetime-local" label={t("rosters.to")} value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        </Group>
        <TextInput label={t("rosters.reason")} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={user === "" || from === "" || to === ""}>
            {t("rosters.stand_in")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
