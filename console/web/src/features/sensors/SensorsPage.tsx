// The sensors: how they are, what each stage counted, and adding or revoking one.
import { Button, Code, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAntennaBars5, IconCircleCheck, IconAlertTriangle, IconPlus } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import { usePermissions } from "../../api/session";
import { useSensors } from "../../api/shared";
import type { Sensor } from "../../api/types";
import { Copyable } from "../../ui/Copyable";
import { count, duration, fullTime } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Page } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Time } from "../../ui/Time";
import { StageFlow } from "./StageFlow";
import styles from "./Sensors.module.css";

export default function SensorsPage() {
  const { t } = useTranslation();
  const may = usePermissions();
  const sensors = useSensors();
  const [opened, dialog] = useDisclosure(false);
  const add = may.admin && (
    <Button leftSection={<IconPlus size={16} />} onClick={dialog.open}>
      {t("sensors.add")}
    </Button>
  );
  return (
    <Page title={t("sensors.title")} lead={t("sensors.lead")} actions={add}>
      {sensors.isPending ? (
        <SkeletonRows rows={3} height={170} />
      ) : sensors.isError ? (
        <Failed error={sensors.error} retry={() => void sensors.refetch()} />
      ) : sensors.data.length === 0 ? (
        <Empty icon={<IconAntennaBars5 size={30} className="dim" />} title={t("sensors.empty")}>
          {t("sensors.empty_hint")}
        </Empty>
      ) : (
        sensors.data.map((sensor) => <SensorCard key={sensor.name} sensor={sensor} />)
      )}
      <Modal opened={opened} onClose={dialog.close} title={t("sensors.add_title")} size="lg" closeOnClickOutside={false}>
        <AddSensor onDone={dialog.close} />
      </Modal>
    </Page>
  );
}

function SensorCard({ sensor }: { sensor: Sensor }) {
  const { t } = useTranslation();
  const may = usePermissions();
  const [opened, dialog] = useDisclosure(false);
  return (
    <section className={styles.card} data-state={sensor.state} aria-label={sensor.name}>
      <div className={styles.head}>
        <h2>{sensor.name}</h2>
        <span className={styles.state} data-state={sensor.state}>
          {t(`sensors.state.${sensor.state}`)}
        </span>
        <span className={styles.remainder} data-bad={sensor.unaccounted !== 0 || undefined}>
          {sensor.unaccounted === 0 ? <IconCircleCheck size={15} aria-hidden /> : <IconAlertTriangle size={15} aria-hidden />}
          {sensor.unaccounted === 0 ? t("sensors.all_accounted") : t("sensors.unaccounted", { number: count(Math.abs(sensor.unaccounted)) })}
        </span>
        <Group gap={6} ml="auto">
          <Button component={Link} to={`/alerts?sensor=${encodeURIComponent(sensor.name)}`} size="compact-sm" variant="subtle">
            {t("sensors.filter")}
          </Button>
          {may.admin && sensor.state !== "revoked" && (
            <Button size="compact-sm" variant="subtle" color="red" onClick={dialog.open}>
              {t("sensors.revoke")}
            </Button>
          )}
        </Group>
      </div>
      <dl className={styles.facts}>
        <div>
          <dt>{t("sensors.last_seen")}</dt>
          <dd>{sensor.last_seen ? <Time at={sensor.last_seen} /> : t("sensors.never")}</dd>
        </div>
        <div>
          <dt>{t("sensors.version")}</dt>
          <dd className="mono">{sensor.program ?? "—"}</dd>
        </div>
        <div>
          <dt>{t("sensors.enrolled")}</dt>
          <dd>
            <Time at={sensor.enrolled} />
          </dd>
        </div>
        <div>
          <dt>{t("sensors.skew")}</dt>
          <dd>{sensor.clock_skew_ms === undefined || sensor.clock_skew_ms === null ? "—" : `${sensor.clock_skew_ms < 0 ? "−" : sensor.clock_skew_ms > 0 ? "+" : ""}${duration(Math.abs(sensor.clock_skew_ms))}`}</dd>
        </div>
        <div>
          <dt>{t("sensors.acknowledged")}</dt>
          <dd className="mono">{sensor.acknowledged}</dd>
        </div>
      </dl>
      <StageFlow stages={sensor.stages} />
      <RevokeDialog name={sensor.name} opened={opened} onClose={dialog.close} />
    </section>
  );
}

function RevokeDialog({ name, opened, onClose }: { name: string; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => must(client.POST("/api/v1/sensors/{name}/revoke", { params: { path: { name } } })),
    onSuccess: () => {
      notify(t("sensors.revoked_notice", { name }));
      onClose();
      void queries.invalidateQueries({ queryKey: ["sensors"] });
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  return (
    <Modal opened={opened} onClose={onClose} title={t("sensors.revoke_title", { name })}>
      <Text size="sm">{t("sensors.revoke_text")}</Text>
      <Group justify="flex-end" mt="md" gap="xs">
        <Button variant="default" onClick={onClose}>
          {t("ui.cancel")}
        </Button>
        <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          {t("sensors.revoke")}
        </Button>
      </Group>
    </Modal>
  );
}

function AddSensor({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const make = useMutation({
    mutationFn: () => must(client.POST("/api/v1/sensors/tokens", { body: { name: name.trim() } })),
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  if (make.data) {
    const { token, expires } = make.data;
    return (
      <Stack gap="sm">
        <Copyable value={token} label={t("sensors.token")} />
        <Text size="sm" c="dimmed">
          {t("sensors.token_hint", { time: fullTime(expires) })}
        </Text>
        <Code block>{`luytre-sensor enroll --collector ${window.location.hostname}:7443 --token ${token}`}</Code>
        <Group justify="flex-end">
          <Button onClick={onDone}>{t("sensors.done")}</Button>
        </Group>
      </Stack>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={t("sensors.name")} description={t("sensors.name_hint")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={64} required withAsterisk={false} data-autofocus />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={make.isPending} disabled={name.trim() === ""}>
            {t("sensors.make_token")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
