// Rosters: who is on call now and in the next two weeks, who stands in, and the handovers behind it.
import { ActionIcon, Badge, Button, Group, Modal, Text } from "@mantine/core";
import { IconCalendarUser, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { usePermissions } from "../../api/session";
import type { DutySpan, Roster } from "../../api/types";
import { fullTime } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Time } from "../../ui/Time";
import { useRosterChange, useRosters } from "./queries";
import { RosterForm, StandInForm } from "./RosterForms";
import styles from "./Rosters.module.css";

type Open = { what: "edit" | "stand_in" | "delete"; roster: Roster } | { what: "new" } | null;

export default function RostersPage() {
  const { t } = useTranslation();
  const may = usePermissions();
  const rosters = useRosters();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const remove = useRosterChange(
    (id: string) => must(client.DELETE("/api/v1/rosters/{id}", { params: { path: { id } } })),
    () => {
      notify(t("rosters.deleted"));
      close();
    },
  );
  const add = may.lead && <Button onClick={() => setOpen({ what: "new" })}>{t("rosters.add")}</Button>;
  const roster = open && open.what !== "new" ? open.roster : undefined;
  return (
    <Page title={t("rosters.title")} lead={t("rosters.lead")} actions={add}>
      {rosters.isPending ? (
        <SkeletonRows rows={6} />
      ) : rosters.isError ? (
        <Failed error={rosters.error} retry={() => void rosters.refetch()} />
      ) : rosters.data.items.length === 0 ? (
        <Empty icon={<IconCalendarUser size={28} className="dim" />} title={t("rosters.empty")}>
          {t("rosters.empty_hint")}
        </Empty>
      ) : (
        rosters.data.items.map((one) => <RosterPanel key={one.id} roster={one} onOpen={(what) => setOpen({ what, roster: one })} />)
      )}
      <Modal opened={open?.what === "new" || open?.what === "edit"} onClose={close} size="lg" title={open?.what === "new" ? t("rosters.title_new") : t("rosters.title_edit")}>
        <RosterForm roster={roster} onDone={close} />
      </Modal>
      <Modal opened={open?.what === "stand_in"} onClose={close} title={roster && t("rosters.stand_in_of", { name: roster.name })}>
        {roster && <StandInForm roster={roster} onDone={close} />}
      </Modal>
      <Modal opened={open?.what === "delete"} onClose={close} title={roster?.name}>
        <Text size="sm">{t("rosters.delete_sure")}</Text>
        <Group justify="flex-end" gap="xs" mt="md">
          <Button variant="default" onClick={close}>
            {t("ui.cancel")}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => roster && remove.mutate(roster.id)}>
            {t("rosters.delete")}
          </Button>
        </Group>
      </Modal>
    </Page>
  );
}

function RosterPanel({ roster, onOpen }: { roster: Roster; onOpen: (what: "edit" | "stand_in" | "delete") => void }) {
  const { t } = useTranslation();
  const may = usePermissions();
  const removed = useRosterChange(
    (override: string) => must(client.DELETE("/api/v1/rosters/{id}/overrides/{override}", { params: { path: { id: roster.id, override } } })),
    () => notify(t("rosters.removed")),
  );
  const [now, next] = roster.duty;
  const aside = (
    <Group gap={6}>
      {may.cases && (
        <Button size="compact-xs" variant="default" onClick={() => onOpen("stand_in")}>
          {t("rosters.stand_in")}
        </Button>
      )}
      {may.lead && (
        <>
          <Button size="compact-xs" variant="default" onClick={() => onOpen("edit")}>
            {t("rosters.edit")}
          </Button>
          <Button size="compact-xs" variant="subtle" color="red" onClick={() => onOpen("delete")}>
            {t("rosters.delete")}
          </Button>
        </>
      )}
    </Group>
  );
  return (
    <Panel title={roster.name} aside={aside}>
      <div className={styles.now}>
        <div>
          <div className="dim">{t("rosters.now")}</div>
          <div className={styles.who}>{now?.user ? now.user.display_name : t("rosters.nobody")}</div>
          <div className="dim">
            {now && next && t("rosters.until", { time: fullTime(now.to).slice(0, 16) })}
            {now?.user && !now.reachable && <span className={styles.warn}> {t("rosters.unreachable")}</span>}
          </div>
        </div>
        {next && (
          <div>
            <div className="dim">{t("rosters.next")}</div>
            <div className={styles.who}>{next.user ? next.user.display_name : t("rosters.nobody")}</div>
            <div className="dim">
              <Time at={next.from} />
            </div>
          </div>
        )}
      </div>
      <Weeks duty={roster.duty} />
      {roster.overrides.length > 0 && (
        <div className={styles.standIns}>
          <h3>{t("rosters.stand_ins")}</h3>
          <ul>
            {roster.overrides.map((one) => (
              <li key={one.id}>
                <b>{one.user.display_name}</b>{" "}
                <span className="mono">
                  {fullTime(one.from).slice(0, 16)} → {fullTime(one.to).slice(0, 16)}
                </span>{" "}
                <span className="dim">{one.reason}</span>
                {may.cases && (
                  <ActionIcon size="sm" variant="subtle" color="gray" aria-label={t("rosters.remove_stand_in", { name: one.user.display_name })} onClick={() => removed.mutate(one.id)}>
                    <IconX size={14} />
                  </ActionIcon>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  );
}

/** The spans of two weeks as a list: who, from when to when, and as long as it takes in its bar. */
function Weeks({ duty }: { duty: readonly DutySpan[] }) {
  const { t } = useTranslation();
  const ms = (text: string) => new Date(text).getTime();
  const first = duty[0];
  const last = duty[duty.length - 1];
  if (!first || !last) return null;
  const whole = ms(last.to) - ms(first.from);
  const names = [...new Set(duty.map(({ user }) => user?.id ?? ""))];
  return (
    <section aria-label={t("rosters.ahead")}>
      <div className="dim">{t("rosters.ahead")}</div>
      <div className={styles.bar} aria-hidden>
        {duty.map((span) => (
          <span key={span.from} data-tone={span.user ? names.indexOf(span.user.id) % 6 : "none"} style={{ width: `${((ms(span.to) - ms(span.from)) / whole) * 100}%` }} />
        ))}
      </div>
      <ol className={styles.spans} tabIndex={0}>
        {duty.map((span) => (
          <li key={span.from}>
            <span className={styles.key} data-tone={span.user ? names.indexOf(span.user.id) % 6 : "none"} aria-hidden />
            <span className="mono">{fullTime(span.from).slice(0, 16)}</span>
            <span>
              {span.user?.display_name ?? t("rosters.nobody")}
              {span.override_id && (
                <Badge ml={6} size="xs" variant="default" tt="none" fw={500} radius="sm">
                  {t("rosters.stand_in")}
                </Badge>
              )}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
