// The one-time link: makes the first administrator, or sets the password of an invited user. The token comes in the
// address; which of the two it is, the server tells.
import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useSearchParams } from "react-router";
import { useSetUp, useSetupNeeded } from "../../api/session";
import { SkeletonRows } from "../../ui/States";
import { Gate } from "../../ui/Gate";

const MIN_PASSWORD = 10;

function tokenOf(search: URLSearchParams, hash: string): string {
  return search.get("token") ?? new URLSearchParams(hash.replace(/^#/, "")).get("token") ?? "";
}

export function SetupPage({ onLanguage }: { onLanguage: () => void }) {
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const token = tokenOf(search, window.location.hash);
  const setup = useSetupNeeded();
  const first = setup.data?.needed ?? true;
  return (
    <Gate title={first ? t("session.setup_title") : t("session.invited_title")} lead={t("session.setup_lead")} onLanguage={onLanguage}>
      {token === "" ? (
        <Alert color="yellow" variant="light">
          {t("session.no_token")}
        </Alert>
      ) : setup.isPending ? (
        <SkeletonRows rows={4} height={48} />
      ) : (
        <SetupForm token={token} first={first} />
      )}
    </Gate>
  );
}

function SetupForm({ token, first }: { token: string; first: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const setUp = useSetUp();
  const [name, setName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== password;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (again !== password) return;
    const who = first ? { name: name.trim(), display_name: displayName.trim() || name.trim() } : {};
    setUp.mutate({ token, password, ...who }, { onSuccess: () => void navigate("/", { replace: true }) });
  };

  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {first && (
          <>
            <TextInput label={t("session.name")} description={t("session.name_hint")} value={name} onChange={(e) => setName(e.currentTarget.value)} autoComplete="username" required withAsterisk={false} autoFocus size="md" />
            <TextInput label={t("session.display_name")} value={displayName} onChange={(e) => setDisplayName(e.currentTarget.value)} autoComplete="name" size="md" />
          </>
        )}
        <PasswordInput label={t("session.password")} description={t("session.password_hint")} value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="new-password" minLength={MIN_PASSWORD} required withAsterisk={false} size="md" />
        <PasswordInput label={t("session.password_again")} value={again} onChange={(e) => setAgain(e.currentTarget.value)} autoComplete="new-password" error={differs ? t("session.password_differs") : undefined} required withAsterisk={false} size="md" />
        {setUp.error && (
          <Alert color="red" variant="light" role="alert" p="xs">
            {setUp.error.message || t("ui.unreachable")}
          </Alert>
        )}
        <Button type="submit" loading={setUp.isPending} disabled={differs} mt="xs" size="md" fullWidth>
          {first ? t("session.create") : t("session.set_password")}
        </Button>
      </Stack>
    </form>
  );
}
