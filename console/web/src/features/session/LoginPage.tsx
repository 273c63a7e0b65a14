// The log-in page.
import { Alert } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSetupNeeded } from "../../api/session";
import { Gate } from "../../ui/Gate";
import { LoginForm } from "./LoginForm";

export function LoginPage({ onLanguage }: { onLanguage: () => void }) {
  const { t } = useTranslation();
  const setup = useSetupNeeded();
  return (
    <Gate title={t("session.log_in")} onLanguage={onLanguage}>
      {setup.data?.needed && (
        <Alert variant="light" color="yellow" mb="md" p="sm">
          {t("session.setup_needed")}
        </Alert>
      )}
      <LoginForm />
    </Gate>
  );
}
