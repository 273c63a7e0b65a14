// The button of the identity provider, where one is configured.
import { Alert, Button, Divider } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useGoToProvider, useProvider } from "../../api/session";

/** `back` is the page to which people come home. */
export function ByProvider({ back }: { back: string }) {
  const { t } = useTranslation();
  const provider = useProvider().data?.provider;
  const go = useGoToProvider("log_in", back);
  if (provider === undefined) return null;
  return (
    <>
      <Divider label={t("session.or")} my="md" />
      <Button variant="default" size="md" fullWidth loading={go.isPending || go.isSuccess} onClick={() => go.mutate()}>
        {t("session.by_provider", { provider })}
      </Button>
      {go.error && (
        <Alert color="red" variant="light" role="alert" p="xs" mt="sm">
          {go.error.message || t("ui.unreachable")}
        </Alert>
      )}
    </>
  );
}
