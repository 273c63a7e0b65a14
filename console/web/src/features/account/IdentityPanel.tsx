// The link of one's own account with one at the identity provider; nothing where none is configured.
import { Badge, Button, Stack, Text } from "@mantine/core";
import { IconLink } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useGoToProvider } from "../../api/session";
import { notifyFailure } from "../../ui/notify";
import { Panel } from "../../ui/Page";

const KEY = ["identity"];

export function IdentityPanel() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const identity = useQuery({ queryKey: KEY, queryFn: () => must(client.GET("/api/v1/session/identity")) });
  const failed = (error: Error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable"));
  const link = useGoToProvider("link", "/account");
  const unlink = useMutation({
    mutationFn: () => must(client.DELETE("/api/v1/session/identity")),
    onSuccess: (state) => queries.setQueryData(KEY, state),
    onError: failed,
  });
  const { provider, linked } = identity.data ?? {};
  if (provider === undefined) return null;
  const on = (
    <Badge variant="light" color="bamboo" tt="none" fw={500} radius="sm" leftSection={<IconLink size={13} />}>
      {t("account.linked")}
    </Badge>
  );
  return (
    <Panel title={t("session.by_provider", { provider })} aside={linked ? on : undefined}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed" maw={640}>
          {t("account.link_hint", { provider })}
        </Text>
        <div>
          {linked ? (
            <Button variant="default" loading={unlink.isPending} onClick={() => unlink.mutate()}>
              {t("account.unlink")}
            </Button>
          ) : (
            <Button variant="default" loading={link.isPending} leftSection={<IconLink size={16} />} onClick={() => link.mutate(undefined, { onError: failed })}>
              {t("account.link")}
            </Button>
          )}
        </div>
      </Stack>
    </Panel>
  );
}
