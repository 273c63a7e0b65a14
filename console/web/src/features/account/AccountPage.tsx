// One's own account: password, second factor, link with an identity provider, and tokens for programs.
import { Alert, Badge, Button, Group, Modal, NumberInput, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { IconKey, IconShieldCheck, IconShieldLock } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { SESSION_KEY, usePermissions, useSession } from "../../api/session";
import type { ApiToken, CodeProposal } from "../../api/types";
import { Copyable } from "../../ui/Copyable";
import { notify, notifyFailure } from "../../ui/notify";
import { Page, Panel } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { Time } from "../../ui/Time";
import styles from "./Account.module.css";
import { IdentityPanel } from "./IdentityPanel";
import { PasswordPanel } from "./PasswordPanel";

const TOKENS = ["tokens"];

export default function AccountPage() {
  const { t } = useTranslation();
  const may = usePermissions();
  const session = useSession();
  if (!session.data) return <SkeletonRows rows={4} />;
  const { user, must_enrol, must_change_password, by_provider, profile } = session.data;
  return (
    <Page title={t("account.title")} lead={`${user.display_name} · ${t(`role.${user.role}`)}`}>
      {must_enrol && (
        <Alert variant="light" color="yellow" mb="md" icon={<IconShieldLock size={18} />} title={t("account.must_enrol")}>
          {t("account.must_enrol_hint")} {profile.citation && <span className="dim">({profile.citation})</span>}
        </Alert>
      )}
      {!by_provider && <PasswordPanel info={session.data} />}
      <Code on={user.two_factor} />
      <IdentityPanel />
      {may.tokens && !must_enrol && !must_change_password && <Tokens />}
      <Panel title={t("account.policy")}>
        <Text size="sm">{t("account.policy_text", { profile: profile.id, idle: user.role === "admin" ? profile.idle_minutes_admin : profile.idle_minutes, hours: profile.absolute_hours, length: user.two_factor ? profile.password_length_with_code : profile.password_length })}</Text>
        {profile.citation && (
          <Text size="xs" c="dimmed" mt={4}>
            {profile.citation}
          </Text>
        )}
      </Panel>
    </Page>
  );
}

function Code({ on }: { on: boolean }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [proposal, setProposal] = useState<CodeProposal | null>(null);
  const [recovery, setRecovery] = useState<readonly string[] | null>(null);
  const [removing, setRemoving] = useState(false);
  const failed = (error: Error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable"));
  const again = () => void queries.invalidateQueries({ queryKey: SESSION_KEY });
  const propose = useMutation({ mutationFn: () => must(client.POST("/api/v1/session/code")), onSuccess: setProposal, onError: failed });
  const confirm = useMutation({
    mutationFn: (code: string) => must(client.PUT("/api/v1/session/code", { body: { code } })),
    onSuccess: ({ codes }) => {
      setProposal(null);
      setRecovery(codes);
    },
    onError: failed,
  });
  const remove = useMutation({
    mutationFn: (code: string) => must(client.DELETE("/api/v1/session/code", { body: { code } })),
    onSuccess: () => {
      setRemoving(false);
      notify(t("account.code_removed"));
      again();
    },
    onError: failed,
  });
  const done = () => {
    setRecovery(null);
    again();
  };
  return (
    <Panel
      title={t("account.code")}
      aside={
        on ? (
          <Badge variant="light" color="bamboo" tt="none" fw={500} radius="sm" leftSection={<IconShieldCheck size={13} />}>
            {t("account.code_on")}
          </Badge>
        ) : undefined
      }
    >
      <Stack gap="sm">
        <Text size="sm" c="dimmed" maw={640}>
          {t("account.code_hint")}
        </Text>
        {!on && proposal === null && recovery === null && (
          <div>
            <Button loading={propose.isPending} leftSection={<IconShieldLock size={16} />} onClick={() => propose.mutate()}>
              {t("account.code_set")}
            </Button>
          </div>
        )}
        {proposal && <Confirm proposal={proposal} busy={confirm.isPending} onCode={(code) => confirm.mutate(code)} onCancel={() => setProposal(null)} />}
        {on && recovery === null && (
          <div>
            <Button variant="default" onClick={() => setRemoving(true)}>
              {t("account.code_remove")}
            </Button>
          </div>
        )}
      </Stack>
      <Modal opened={recovery !== null} onClose={() => undefined} withCloseButton={false} closeOnEscape={false} closeOnClickOutside={false} title={t("account.recovery")}>
        <Stack gap="sm">
          <Text size="sm">{t("account.recovery_hint")}</Text>
          <ol className={styles.recovery}>
            {(recovery ?? []).map((code) => (
              <li key={code} className="mono">
                {code}
              </li>
            ))}
          </ol>
          <Group justify="flex-end">
            <Button variant="default" onClick={() => void navigator.clipboard.writeText((recovery ?? []).join("\n")).then(() => notify(t("ui.copied")))}>
              {t("ui.copy")}
            </Button>
            <Button onClick={done}>{t("account.recovery_kept")}</Button>
          </Group>
        </Stack>
      </Modal>
      <Modal opened={removing} onClose={() => setRemoving(false)} title={t("account.code_remove")}>
        <CodeForm label={t("account.remove_code")} action={t("account.code_remove")} busy={remove.isPending} onCode={(code) => remove.mutate(code)} onCancel={() => setRemoving(false)} />
      </Modal>
    </Panel>
  );
}

function Confirm({ proposal, busy, onCode, onCancel }: { proposal: CodeProposal; busy: boolean; onCode: (code: string) => void; onCancel: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.enrol}>
      <svg className={styles.picture} viewBox={`-4 -4 ${proposal.size + 8} ${proposal.size + 8}`} role="img" aria-label={t("account.picture")}>
        <rect x="-4" y="-4" width={proposal.size + 8} height={proposal.size + 8} fill="#fff" />
        <path d={proposal.path} fill="#000" shapeRendering="crispEdges" />
      </svg>
      <Stack gap="sm" className={styles.steps}>
        <Text size="sm">{t("account.scan")}</Text>
        <Copyable value={proposal.secret} label={t("account.secret")} />
        <CodeForm label={t("account.first_code")} action={t("account.confirm")} busy={busy} onCode={onCode} onCancel={onCancel} />
      </Stack>
    </div>
  );
}

function CodeForm({ label, action, busy, onCode, onCancel }: { label: string; action: string; busy: boolean; onCode: (code: string) => void; onCancel: () => void }) {
  const { t } = useTranslation();
  const [code, setCode] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onCode(code.trim());
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label={label} value={code} onChange={(event) => setCode(event.currentTarget.value)} autoComplete="one-time-code" maxLength={32} data-autofocus />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onCancel}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={busy} disabled={code.trim() === ""}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Tokens() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const tokens = useQuery({ queryKey: TOKENS, queryFn: async () => (await must(client.GET("/api/v1/tokens"))).items });
  const [making, setMaking] = useState(false);
  const revoke = useMutation({
    mutationFn: (id: string) => must(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } })),
    onSuccess: ({ items }) => queries.setQueryData(TOKENS, items),
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  const working = (token: ApiToken) => !token.revoked_at && Date.parse(token.expires_at) > Date.now();
  const columns: ColumnDef<ApiToken>[] = [
    { key: "name", title: t("account.token_name"), cell: (token) => token.name },
    { key: "scope", title: t("account.scope"), cell: (token) => t(`account.scopes.${token.scope}`), width: 190 },
    { key: "used", title: t("account.used"), cell: (token) => (token.used_at ? <Time at={token.used_at} /> : <span className="dim">{t("account.never")}</span>), width: 150 },
    { key: "expires", title: t("account.expires"), cell: (token) => <Time at={token.expires_at} style="full" />, width: 180 },
    {
      key: "state",
      title: "",
      align: "right",
      width: 120,
      cell: (token) =>
        working(token) ? (
          <Button size="compact-xs" variant="subtle" color="red" aria-label={`${t("account.revoke")}: ${token.name}`} onClick={() => revoke.mutate(token.id)}>
            {t("account.revoke")}
          </Button>
        ) : (
          <span className="dim">{t(token.revoked_at ? "account.revoked" : "account.lapsed")}</span>
        ),
    },
  ];
  const add = (
    <Button size="compact-xs" variant="subtle" leftSection={<IconKey size={13} />} onClick={() => setMaking(true)}>
      {t("account.token_make")}
    </Button>
  );
  return (
    <Panel title={t("account.tokens")} aside={add} flush>
      {tokens.isPending ? (
        <SkeletonRows rows={2} />
      ) : tokens.isError ? (
        <Failed error={tokens.error} retry={() => void tokens.refetch()} />
      ) : tokens.data.length === 0 ? (
        <div className={`${styles.pad} dim`}>{t("account.tokens_empty")}</div>
      ) : (
        <Table label={t("account.tokens")} columns={columns} rows={tokens.data} rowKey={(token) => token.id} />
      )}
      <Modal opened={making} onClose={() => setMaking(false)} title={t("account.token_make")} closeOnClickOutside={false}>
        <MakeToken onDone={() => setMaking(false)} />
      </Modal>
    </Panel>
  );
}

function MakeToken({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<ApiToken["scope"]>("read");
  const [days, setDays] = useState<number | string>(90);
  const make = useMutation({
    mutationFn: () => must(client.POST("/api/v1/tokens", { body: { name: name.trim(), scope, days: Number(days) } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: TOKENS }),
    onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
  });
  if (make.data) {
    return (
      <Stack gap="sm">
        <Text size="sm">{t("account.token_once")}</Text>
        <Copyable value={make.data.secret} label={t("account.token_secret")} />
        <Group justify="flex-end">
          <Button onClick={onDone}>{t("ui.close")}</Button>
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
        <TextInput label={t("account.token_name")} description={t("account.token_name_hint")} value={name} onChange={(event) => setName(event.currentTarget.value)} maxLength={100} data-autofocus />
        <SegmentedControl value={scope} onChange={(value) => setScope(value === "write" ? "write" : "read")} data={(["read", "write"] as const).map((value) => ({ value, label: t(`account.scopes.${value}`) }))} />
        <NumberInput label={t("account.days")} min={1} max={365} allowDecimal={false} value={days} onChange={setDays} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onDone}>
            {t("ui.cancel")}
          </Button>
          <Button type="submit" loading={make.isPending} disabled={name.trim() === "" || days === ""}>
            {t("account.token_make")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
