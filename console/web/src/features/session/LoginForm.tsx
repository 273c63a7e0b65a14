// Name and password; used by the log-in page and by the dialog over a lapsed session.
import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { ApiFailure } from "../../api/client";
import { useLogIn } from "../../api/session";

function useFailureText(error: Error | null): string | null {
  const { t } = useTranslation();
  if (error === null) return null;
  if (!(error instanceof ApiFailure)) return error.message;
  if (error.body.code === "code_needed") return null;
  if (error.body.code === "wrong_code") return t("session.wrong_code");
  if (error.status === 401 || error.status === 403) return t("session.wrong");
  if (error.status === 429) return t("session.locked", { seconds: error.body.retry_after_s ?? 60 });
  return error.message || t("ui.unreachable");
}

interface LoginFormProps {
  /** Fixed name, when the same person comes back. */
  name?: string;
  onDone?: () => void;
}

export function LoginForm({ name: fixed, onDone }: LoginFormProps) {
  const { t } = useTranslation();
  const [name, setName] = useState(fixed ?? "");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asked, setAsked] = useState(false);
  const logIn = useLogIn();
  const failure = useFailureText(logIn.error);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    logIn.mutate(
      { name: name.trim(), password, ...(asked ? { code: code.trim() } : {}) },
      {
        onSuccess: onDone,
        onError: (error) => {
          // Name and password were right: only the code is asked for.
          const more = error instanceof ApiFailure && (error.body.code === "code_needed" || error.body.code === "wrong_code");
          setAsked(more);
          setCode("");
          if (!more) setPassword("");
        },
      },
    );
  };

  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <TextInput label={t("session.name")} value={name} onChange={(e) => setName(e.currentTarget.value)} autoComplete="username" required withAsterisk={false} disabled={fixed !== undefined} autoFocus={fixed === undefined} size="md" />
        <PasswordInput label={t("session.password")} value={password} onChange={(e) => setPassword(e.currentTarget.value)} autoComplete="current-password" required withAsterisk={false} data-autofocus autoFocus={fixed !== undefined} size="md" />
        {asked && <TextInput label={t("session.code")} description={t("session.code_hint")} value={code} onChange={(e) => setCode(e.currentTarget.value)} autoComplete="one-time-code" required withAsterisk={false} autoFocus size="md" maxLength={32} />}
        {failure && (
          <Alert color="red" variant="light" role="alert" p="xs">
            {failure}
          </Alert>
        )}
        <Button type="submit" loading={logIn.isPending} size="md" fullWidth>
          {t("session.log_in")}
        </Button>
      </Stack>
    </form>
  );
}
