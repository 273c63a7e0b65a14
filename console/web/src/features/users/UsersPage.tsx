// Users: invite, change the role, disable.
import { Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUserPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useCaller, useProvider } from "../../api/session";
import { useAgencies } from "../../api/shared";
import { ROLES, type Role, type User } from "../../api/types";
import { Copyable } from "../../ui/Copyable";
import { fullTime } from "../../ui/format";
import { notify, notifyFailure } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";

const KEY = ["users"];

export default function UsersPage() {
  const { t } = useTranslation();
  const users = useQuery({ queryKey: KEY, queryFn: async () => (await must(client.GET("/api/v1/users"))).items });
  const [opened, dialog] = useDisclosure(false);
  return (
    <Page
      title={t("users.title")}
      lead={t("users.lead")}
      actions={
        <Button leftSection={<IconUserPlus size={16} />} onClick={dialog.open}>
          {t("users.invite")}
        </Button>
      }
    >
      <Panel flush>{users.isPending ? <SkeletonRows rows={4} /> : users.isError ? <Failed error={users.error} retry={() => void users.refetch()} /> : <UserTable rows={users.data} />}</Panel>
      <Modal opened={opened} onClose={dialog.close} title={t("users.invite")} closeOnClickOutside={false}>
        <Invite onDone={dialog.close} />
      </Modal>
    </Page>
  );
}

function UserTable({ rows }: { rows: readonly User[] }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string; role?: Role; agency_id?: string; disabled?: boolean; remove_code?: boolean; mail?: string }) => must(client.PATCH("/api/v1/users/{id}", { params: { path: { id } }, body })),
    onSuccess: (user) => {
      notify(t("users.changed", { name: user.name }));
      void queries.invalidateQueries({ queryKey: KEY });
    },
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  const provider = useProvider().data?.provider;
  const [addressed, setAddressed] = useState<User | null>(null);
  const columns: ColumnDef<User>[] = [
    { key: "name", title: t("users.name"), cell: (user) => <span className="mono">{user.name}</span> },
    { key: "display", title: t("users.display_name"), cell: (user) => user.display_name },
    {
      key: "role",
      title: t("users.role"),
      width: 240,
      cell: (user) =>
        user.id === caller.id ? (
          `${t(`role.${user.role}`)} (${t("users.self")})`
        ) : (
          <Select
            size="xs"
            aria-label={`${t("users.role")}: ${user.name}`}
            value={user.role}
            data={ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))}
            onChange={(value) => {
              const role = ROLES.find((each) => each === value);
              if (role && role !== user.role) change.mutate({ id: user.id, role });
            }}
          />
        ),
    },
    {
      key: "agency",
      title: t("users.agency"),
      width: 230,
      cell: (user) =>
        user.id === caller.id || user.role === "admin" ? (
          <span className="dim">{t("users.everything")}</span>
        ) : (
          <AgencySelect size="xs" label={`${t("users.agency")}: ${user.name}`} hidden value={user.agency_id ?? ""} agencyOnly={user.role === "agency"} onChange={(agency_id) => change.mutate({ id: user.id, agency_id })} />
        ),
    },
    { key: "state", title: t("users.state"), cell: (user) => (user.disabled ? t("users.disabled") : user.invited ? t("users.invited") : t("users.active")) },
    { key: "code", title: t("users.two_factor"), cell: (user) => (user.two_factor ? t("record.yes") : <span className="dim">{t("record.no")}</span>), width: 130 },
    { key: "login", title: t("users.last_login"), cell: (user) => (user.last_login_at ? <Time at={user.last_login_at} /> : t("users.never")) },
    {
      key: "actions",
      title: "",
      align: "right",
      cell: (user) =>
        user.id !== caller.id && (
          <>
          {provider !== undefined && (
            <Button size="compact-xs" variant="subtle" color="gray" aria-label={`${t("users.mail")}: ${user.name}`} onClick={() => setAddressed(user)}>
              {t("users.mail")}
            </Button>
          )}
          {user.two_factor && (
            <Button size="compact-xs" variant="subtle" color="red" onClick={() => change.mutate({ id: user.id, remove_code: true })}>
              {t("users.remove_code")}
            </Button>
          )}
          <Button size="compact-xs" variant="subtle" color={user.disabled ? "bamboo" : "red"} onClick={() => change.mutate({ id: user.id, disabled: !user.disabled })}>
            {user.disabled ? t("users.enable") : t("users.disable")}
          </Button>
          </>
        ),
    },
  ];
  return (
    <>
      <Table label={t("users.title")} columns={columns} rows={rows} rowKey={(user) => user.id} />
      <Modal opened={addressed !== null} onClose={() => setAddressed(null)} title={`${t("users.mail")}: ${addressed?.name ?? ""}`}>
        {addressed && (
          <MailForm
            mail={addressed.mail ?? ""}
            hint={t("users.mail_hint", { provider })}
            busy={change.isPending}
            onMail={(mail) => change.mutate({ id: addressed.id, mail }, { onSuccess: () => setAddressed(null) })}
            onCancel={() => setAddressed(null)}
          />
        )}
      </Modal>
    </>
  );
}

/** The mail address by which the identity provider may vouch for somebody. */
function MailForm({ mail: before, hint, busy, onMail, onCancel }: { mail: string; hint: string; busy: boolean; onMail: (mail: string) => void; onCancel: () => void }) {
  const { t } = useTranslation();
  const [mail, setMail] = useState(before);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onMail(mail.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput type="email" label={t("users.mail")} description={hint} value={mail} onChange={(event) => setMail(event.currentTarget.value)} maxLength={200} data-autofocus />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={busy}>
            {t("ui.save")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The agency beyond which somebody sees nothing. */
function AgencySelect({ label, hidden = false, value, agencyOnly, size, onChange }: { label: string; hidden?: boolean; value: string; agencyOnly: boolean; size?: "xs"; onChange: (id: string) => void }) {
  const { t } = useTranslation();
  const agencies = useAgencies();
  return (
    <Select
      size={size}
      label={hidden ? undefined : label}
      aria-label={label}
      placeholder={agencyOnly ? t("users.no_agency") : t("users.everything")}
      value={value || null}
      data={(agencies.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
      onChange={(id) => onChange(id ?? "")}
      searchable
      clearable
      limit={50}
    />
  );
}

function Invite({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [display, setDisplay] = useState("");
  const [role, setRole] = useState<Role>("analyst");
  const [agency, setAgency] = useState("");
  const invite = useMutation({
    mutationFn: () => must(client.POST("/api/v1/users", { body: { name: name.trim(), display_name: display.trim() || name.trim(), role, agency_id: role === "admin" || agency === "" ? undefined : agency } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: KEY }),
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  if (invite.data) {
    return (
      <Stack gap="sm">
        <Copyable value={invite.data.link} label={t("users.link")} />
        <Text size="sm" c="dimmed">
          {t("users.link_hint", { time: fullTime(invite.data.expires_at) })}
        </Text>
        <Group justify="flex-end">
          <Button onClick={onDone}>{t("users.done")}</Button>
        </Group>
      </Stack>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={t("users.name")} description={t("users.name_hint")} value={name} onChange={(event) => setName(event.currentTarget.value)} required withAsterisk={false} maxLength={64} data-autofocus />
        <TextInput label={t("users.display_name")} value={display} onChange={(event) => setDisplay(event.currentTarget.value)} />
        <Select label={t("users.role")} value={role} onChange={(value) => setRole(ROLES.find((each) => each === value) ?? "analyst")} data={ROLES.map((each) => ({ value: each, label: t(`role.${each}`) }))} />
        {role !== "admin" && <AgencySelect label={t("users.agency")} value={agency} agencyOnly={role === "agency"} onChange={setAgency} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={invite.isPending} disabled={name.trim() === ""}>
            {t("users.make")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
