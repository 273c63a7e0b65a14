// The dialog that lies over the page when the session lapses while somebody works.
import { Modal, Text } from "@mantine/core";
import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "react-router";
import { sessionLapse } from "../../api/client";
import { useCaller } from "../../api/session";
import { ByProvider } from "./ByProvider";
import { LoginForm } from "./LoginForm";

export function Relogin() {
  const { t } = useTranslation();
  const caller = useCaller();
  const { pathname, search } = useLocation();
  const lapsed = useSyncExternalStore(sessionLapse.subscribe, sessionLapse.get);
  return (
    <Modal opened={lapsed} onClose={() => undefined} withCloseButton={false} closeOnEscape={false} closeOnClickOutside={false} title={t("session.lapsed_title")} centered zIndex={1000}>
      <Text size="sm" c="dimmed" mb="md">
        {t("session.lapsed")}
      </Text>
      <LoginForm name={caller.name} />
      <ByProvider back={pathname + search} />
    </Modal>
  );
}
