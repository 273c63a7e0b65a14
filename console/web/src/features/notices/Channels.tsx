// The ways by which notices go: the mail server of the configuration, and webhooks.
import { Button, Group, Modal, PasswordInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { usePermissions } from "../../api/session";
import type { NoticeChannel, SaveNoticeChannel } from "../../api/types";
import { count } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { Empty, Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { newChannel, useChannels, useNoticeChange, useTested } from "./queries";
import styles from "./Notices.module.css";

type State = NoticeChannel["state"];

function useTest() {
  const tested = useTested();
  return useNoticeChange((id: string) => must(client.POST("/api/v1/notice-channels/{id}/test", { params: { path: { id } } })), tested);
}

export function Channels() {
  const { t, i18n } = useTranslation();
  const may = usePermissions();
  const list = useChannels();
  const test = useTest();
  const [editing, setEditing] = useState<NoticeChannel | "new" | null>(null);
  const [doomed, setDoomed] = useState<NoticeChannel | null>(null);
  const remove = useNoticeChange(
    (id: string) => must(client.DELETE("/api/v1/notice-channels/{id}", { params: { path: { id } } })),
    () => {
      notify(t("notices.channel.deleted"));
      setDoomed(null);
    },
  );
  if (list.isPending) return <SkeletonRows rows={4} />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  const { items, shapes, mail, mail_server, mail_signed_by, mail_state } = list.data;
  const shapeName = (id: string) => {
    const shape = shapes.find((each) => each.id === id);
    return (i18n.language === "vi" ? shape?.name_vi : shape?.name_en) ?? id;
  };
  const columns: ColumnDef<NoticeChannel>[] = [
    {
      key: "name",
      title: t("notices.channel.name"),
      cell: (one) => (
        <>
          <Text size="sm" fw={500} component="span">
            {one.name}
          </Text>
          {!one.enabled && <div className="dim">{t("notices.rule.off")}</div>}
        </>
      ),
    },
    { key: "shape", title: t("notices.channel.shape"), cell: (one) => shapeName(one.shape) },
    { key: "url", title: t("notices.channel.url"), cell: (one) => <span className="mono">{one.url || shapes.find(({ id }) => id === one.shape)?.url}</span> },
    { key: "state", title: t("notices.channel.state"), cell: (one) => <ChannelStateWords state={one.state} /> },
    {
      key: "actions",
      title: "",
      align: "right",
      width: 260,
      cell: (one) =>
        may.admin && (
          <Group gap={4} justify="flex-end" wrap="nowrap">
            <Button size="compact-xs" variant="default" loading={test.isPending && test.variables === one.id} onClick={() => test.mutate(one.id)}>
              {t("notices.test")}
            </Button>
            <Button size="compact-xs" variant="default" onClick={() => setEditing(one)}>
              {t("notices.rule.edit")}
            </Button>
            <Button size="compact-xs" variant="subtle" color="red" onClick={() => setDoomed(one)}>
              {t("notices.rule.delete")}
            </Button>
          </Group>
        ),
    },
  ];
  return (
    <>
      <Panel
        title={t("notices.channel.mail")}
        aside={
          may.admin &&
          mail && (
            <Button size="compact-xs" variant="default" loading={test.isPending && test.variables === "mail"} onClick={() => test.mutate("mail")}>
              {t("notices.test")}
            </Button>
          )
        }
      >
        {mail ? (
          <Group gap="lg">
            <span className="mono">{mail_server}</span>
            <span className="dim">{mail_signed_by ? t("notices.channel.signed", { key: mail_signed_by }) : t("notices.channel.unsigned")}</span>
            <ChannelStateWords state={mail_state} />
          </Group>
        ) : (
          <span className="dim">{t("notices.channel.mail_off")}</span>
        )}
      </Panel>
      <Panel
        title="Webhook"
        aside={
          may.admin && (
            <Button size="xs" onClick={() => setEditing("new")}>
              {t("notices.channel.add")}
            </Button>
          )
        }
        flush
      >
        {items.length === 0 ? <Empty title={t("notices.channel.none")} /> : <Table label="Webhook" columns={columns} rows={items} rowKey={(one) => one.id} />}
      </Panel>
      <Modal opened={editing !== null} onClose={() => setEditing(null)} title={editing === "new" ? t("notices.channel.title_new") : t("notices.channel.title_edit")}>
        {editing && <ChannelForm channel={editing === "new" ? undefined : editing} shapes={shapes.map(({ id, needs_recipient, url }) => ({ id, label: shapeName(id), needs_recipient, url }))} onDone={() => setEditing(null)} />}
      </Modal>
      <Modal opened={doomed !== null} onClose={() => setDoomed(null)} title={doomed?.name}>
        <Text size="sm">{t("notices.channel.delete_sure")}</Text>
        <Group justify="flex-end" gap="xs" mt="md">
          <Button variant="default" onClick={() => setDoomed(null)}>
            {t("ui.cancel")}
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => doomed && remove.mutate(doomed.id)}>
            {t("notices.rule.delete")}
          </Button>
        </Group>
      </Modal>
    </>
  );
}

function ChannelStateWords({ state }: { state: State }) {
  const { t } = useTranslation();
  if (state.failures > 0) {
    return (
      <span className={state.dead_since ? styles.bad : styles.warn}>
        {state.dead_since ? (
          <>
            {t("notices.channel.dead")} <Time at={state.dead_since} />
          </>
        ) : (
          t("notices.channel.failing", { number: count(state.failures) })
        )}
        <div className="dim">{state.last_error}</div>
      </span>
    );
  }
  if (!state.last_good) return <span className="dim">{t("notices.channel.unused")}</span>;
  return (
    <span>
      {t("notices.channel.good")}{" "}
      <span className="dim">
        ({t("notices.channel.last_good")} <Time at={state.last_good} />)
      </span>
    </span>
  );
}

interface FormProps {
  channel?: NoticeChannel;
  shapes: ReadonlyArray<{ id: string; label: string; needs_recipient: boolean; url: string }>;
  onDone: () => void;
}

function ChannelForm({ channel, shapes, onDone }: FormProps) {
  const { t } = useTranslation();
  const [wish, setWish] = useState<SaveNoticeChannel>(() => {
    if (!channel) return newChannel;
    const { name, shape, url, recipient, language, enabled, version } = channel;
    return { name, shape, url, recipient, language, enabled, version };
  });
  const change = (part: Partial<SaveNoticeChannel>) => setWish((now) => ({ ...now, ...part }));
  const shape = shapes.find(({ id }) => id === wish.shape);
  const save = useNoticeChange(
    (body: SaveNoticeChannel) =>
      channel ? must(client.PUT("/api/v1/notice-channels/{id}", { params: { path: { id: channel.id } }, body })) : must(client.POST("/api/v1/notice-channels", { body })),
    () => {
      notify(t("notices.channel.saved"));
      onDone();
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { secret, ...rest } = wish;
    save.mutate(secret ? { ...rest, secret } : rest);
  };
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <TextInput label={t("notices.channel.name")} value={wish.name} maxLength={80} required withAsterisk={false} onChange={(event) => change({ name: event.currentTarget.value })} data-autofocus />
        <Select label={t("notices.channel.shape")} value={wish.shape} data={shapes.map(({ id, label }) => ({ value: id, label }))} onChange={(next) => change({ shape: next ?? "json" })} />
        <TextInput label={t("notices.channel.url")} description={t("notices.channel.url_hint")} placeholder={shape?.url} value={wish.url ?? ""} onChange={(event) => change({ url: event.currentTarget.value })} />
        {shape?.needs_recipient && <TextInput label={t("notices.channel.recipient")} value={wish.recipient ?? ""} onChange={(event) => change({ recipient: event.currentTarget.value })} />}
        <PasswordInput
          label={t("notices.channel.secret")}
          description={t("notices.channel.secret_hint")}
          placeholder={channel?.has_secret ? t("notices.channel.secret_kept") : undefined}
          value={wish.secret ?? ""}
          autoComplete="new-password"
          onChange={(event) => change({ secret: event.currentTarget.value })}
        />
        <Select
          label={t("notices.channel.language")}
          value={wish.language ?? "vi"}
          data={(["vi", "en"] as const).map((value) => ({ value, label: t(`notices.channel.languages.${value}`) }))}
          onChange={(next) => change({ language: next === "en" ? "en" : "vi" })}
        />
        <Switch label={t("notices.channel.enabled")} checked={wish.enabled} onChange={(event) => change({ enabled: event.currentTarget.checked })} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={save.isPending} disabled={wish.name.trim() === ""}>
            {t("ui.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
