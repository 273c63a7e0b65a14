// One's own password: when it ends, and a new one.
import { Alert, Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { IconClockExclamation } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useChangePassword } from "../../api/session";
import type { SessionInfo } from "../../api/types";
import { fullTime } from "../../ui/format";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";

export function PasswordPanel({ info }: { info: SessionInfo }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const change = useChangePassword();
  const differs = again !== "" && again !== password;
  const asked = open || info.must_change_password;
  const shortest = info.user.two_factor ? info.profile.password_length_with_code : info.profile.password_length;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (again !== password) return;
    const done = () => {
      setOpen(false);
      setCurrent("");
      setPassword("");
      setAgain("");
      notify(t("account.password_changed"));
    };
    change.mutate({ current, password }, { onSuccess: done });
  };

  return (
    <Panel title={t("account.password")}>
      <Stack gap="sm" maw={440}>
        {info.must_change_password && (
          <Alert variant="light" color="yellow" icon={<IconClockExclamation size={18} />} title={t("account.must_change")}>
            {t("account.must_change_hint", { days: info.profile.password_days_admin })} {info.profile.citation && <span className="dim">({info.profile.citation})</span>}
          </Alert>
        )}
        {info.password_ends_at && !info.must_change_password && (
          <Text size="sm" c="dimmed">
            {t("account.password_ends", { time: fullTime(info.password_ends_at) })}
          </Text>
        )}
        {!asked && (
          <div>
            <Button variant="default" onClick={() => setOpen(true)}>
              {t("account.password_change")}
            </Button>
          </div>
        )}
        {asked && (
          <form onSubmit={submit}>
            <Stack gap="sm">
              <PasswordInput label={t("account.password_current")} value={current} onChange={(event) => setCurrent(event.currentTarget.value)} autoComplete="current-password" required withAsterisk={false} />
              <PasswordInput label={t("account.password_new")} description={t("account.password_hint", { shortest, history: info.profile.password_history })} value={password} onChange={(event) => setPassword(event.currentTarget.value)} autoComplete="new-password" minLength={shortest} required withAsterisk={false} />
              <PasswordInput label={t("session.password_again")} value={again} onChange={(event) => setAgain(event.currentTarget.value)} autoComplete="new-password" error={differs ? t("session.password_differs") : undefined} required withAsterisk={false} />
              {change.error && (
                <Alert color="red" variant="light" role="alert" p="xs">
                  {change.error.message || t("ui.unreachable")}
                </Alert>
              )}
              <Group justify="flex-end" gap="xs">
                {!info.must_change_password && (
                  <Button variant="default" onClick={() => setOpen(false)}>
                    {t("ui.cancel")}
                  </Button>
                )}
                <Button type="submit" loading={change.isPending} disabled={differs}>
                  {t("account.password_change")}
                </Button>
              </Group>
            </Stack>
          </form>
        )}
      </Stack>
    </Panel>
  );
}
