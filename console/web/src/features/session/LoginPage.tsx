// The log-in page.
import { Alert } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { useSetupNeeded } from "../../api/session";
import { Gate } from "../../ui/Gate";
import { ByProvider } from "./ByProvider";
import { LoginForm } from "./LoginForm";

export function LoginPage({ onLanguage }: { onLanguage: () => void }) {
  const { t } = useTranslation();
  const setup = useSetupNeeded();
  const state: unknown = useLocation().state;
  const from = typeof state === "object" && state !== null && "from" in state ? state.from : undefined;
  return (
    <Gate title={t("session.log_in")} onLanguage={onLanguage}>
      {setup.data?.needed && (
        <Alert variant="light" color="yellow" mb="md" p="sm">
          {t("session.setup_needed")}
        </Alert>
      )}
      <LoginForm />
      <ByProvider back={typeof from === "string" ? from : "/alerts"} />
    </Gate>
  );
}
