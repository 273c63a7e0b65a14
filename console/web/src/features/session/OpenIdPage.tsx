// The page to which an identity provider sends people back: hands what it sent on to the server, and says what came of it.
// The state works once, so that it is handed on once.
import { Alert, Button, Loader, Stack, TextInput } from "@mantine/core";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { ApiFailure } from "../../api/client";
import { openIdTrip, useFinishOpenId } from "../../api/session";
import { Gate } from "../../ui/Gate";

export default function OpenIdPage({ onLanguage }: { onLanguage: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const [trip] = useState(openIdTrip);
  const [code, setCode] = useState("");
  const handed = useRef(false);
  const finish = useFinishOpenId(trip.purpose);
  const { mutate } = finish;
  const state = search.get("state") ?? "";
  const done = { onSuccess: () => void navigate(trip.back, { replace: true }) };

  useEffect(() => {
    if (handed.current) return;
    handed.current = true;
    const error = search.get("error");
    mutate({ state, ...(error === null ? { code: search.get("code") ?? "" } : { error }) }, done);
    // Once, whatever is rendered again.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const failure = finish.error;
  const asksCode = failure instanceof ApiFailure && ["code_needed", "wrong_code", "locked"].includes(failure.body.code);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    mutate({ state, second: code.trim() }, { ...done, onSettled: () => setCode("") });
  };
  const title = trip.purpose === "link" ? t("session.openid_link") : t("session.log_in");
  return (
    <Gate title={title} onLanguage={onLanguage}>
      <Stack gap="md">
        {failure === null && <Loader size="sm" aria-label={t("session.openid_wait")} />}
        {failure && !(asksCode && failure instanceof ApiFailure && failure.body.code === "code_needed") && (
          <Alert color="red" variant="light" role="alert" p="xs">
            {failure.message || t("ui.unreachable")}
          </Alert>
        )}
        {asksCode && (
          <form onSubmit={submit}>
            <Stack gap="md">
              <TextInput label={t("session.code")} description={t("session.code_hint")} value={code} onChange={(event) => setCode(event.currentTarget.value)} autoComplete="one-time-code" required withAsterisk={false} autoFocus size="md" maxLength={32} />
              <Button type="submit" loading={finish.isPending} size="md" fullWidth>
                {t("session.log_in")}
              </Button>
            </Stack>
          </form>
        )}
        {failure && !asksCode && (
          <Button component={Link} to={trip.purpose === "link" ? "/account" : "/login"} replace variant="default" size="md" fullWidth>
            {trip.purpose === "link" ? t("session.openid_account") : t("session.openid_again")}
          </Button>
        )}
      </Stack>
    </Gate>
  );
}
