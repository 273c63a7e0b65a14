// The page that a link in a message opens, without a log-in and made for a phone: says what is asked, and acknowledges
// when the button is pressed. The token stands behind the `#`, so that it reaches no log of addresses.
import { Alert, Anchor, Button, Stack } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { client, must } from "../../api/client";
import type { Acknowledgement } from "../../api/types";
import { count } from "../../ui/format";
import { SeverityBadge } from "../../ui/Severity";
import { SkeletonRows } from "../../ui/States";
import { Time } from "../../ui/Time";
import { Gate } from "../../ui/Gate";

function tokenOf(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, "")).get("token") ?? "";
}

export default function AcknowledgePage({ onLanguage }: { onLanguage: () => void }) {
  const { t } = useTranslation();
  const token = tokenOf(window.location.hash);
  const about = useQuery({
    queryKey: ["acknowledgement", token],
    queryFn: () => must(client.GET("/api/v1/acknowledgement", { params: { header: { "x-luytre-link": token } } })),
    retry: false,
    staleTime: 0,
  });
  return (
    <Gate title={t("acknowledge.title")} lead={about.data?.open ? t("acknowledge.lead") : undefined} onLanguage={onLanguage}>
      {about.isPending ? (
        <SkeletonRows rows={4} height={40} />
      ) : about.isError ? (
        <Stack gap="sm">
          <Alert color="yellow" variant="light" title={t("acknowledge.none")}>
            {t("acknowledge.none_hint")}
          </Alert>
          <Button component={Link} to="/alerts" variant="default">
            {t("acknowledge.see")}
          </Button>
        </Stack>
      ) : (
        <Ask about={about.data} token={token} />
      )}
    </Gate>
  );
}

function Ask({ about, token }: { about: Acknowledgement; token: string }) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const acknowledge = useMutation({
    mutationFn: () => must(client.POST("/api/v1/acknowledgement", { body: { token } })),
    onSuccess: (now) => queries.setQueryData(["acknowledgement", token], now),
    onError: () => void queries.invalidateQueries({ queryKey: ["acknowledgement", token] }),
  });
  return (
    <Stack gap="md">
      <div>
        <SeverityBadge level={about.severity} />
        <h2 style={{ margin: "8px 0 4px", fontSize: 18, lineHeight: "26px" }}>{(i18n.language === "vi" && about.rule_vi) || about.rule}</h2>
        <div className="dim">
          {about.agency && `${about.agency} · `}
          <Time at={about.time} style="full" />
        </div>
        {about.alerts > 1 && <div className="dim">{t("acknowledge.alerts", { number: count(about.alerts) })}</div>}
        {about.user && <div className="dim">{t("acknowledge.for", { name: about.user.display_name })}</div>}
      </div>
      {about.open ? (
        <Button size="lg" fullWidth loading={acknowledge.isPending} onClick={() => acknowledge.mutate()}>
          {t("acknowledge.button")}
        </Button>
      ) : (
        <Alert color="bamboo" variant="light" role="status" title={about.ended_by && t("acknowledge.done_by", { name: about.ended_by.display_name })}>
          {about.state === "acknowledged" ? t("acknowledge.done") : t("acknowledge.handled")}
          {about.ended_at && (
            <div>
              <Time at={about.ended_at} style="full" />
            </div>
          )}
        </Alert>
      )}
      {acknowledge.isError && (
        <Alert color="yellow" variant="light" role="alert">
          {acknowledge.error.message || t("ui.unreachable")}
        </Alert>
      )}
      <Anchor component={Link} to={`/alerts/${encodeURIComponent(about.alert_id)}`} size="sm" ta="center">
        {t("acknowledge.see")}
      </Anchor>
    </Stack>
  );
}
