// Notices: what was sent and to whom, who is being called, and the rules, channels, addresses and templates behind it.
import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { Page } from "../../ui/Page";
import { Addresses } from "./Addresses";
import { Channels } from "./Channels";
import { Escalations } from "./Escalations";
import { useFreshNotices } from "./queries";
import { Rules } from "./Rules";
import { Sent } from "./Sent";
import { Templates } from "./Templates";

const TABS = ["sent", "escalations", "rules", "channels", "addresses", "templates"] as const;
const PARTS = { sent: Sent, escalations: Escalations, rules: Rules, channels: Channels, addresses: Addresses, templates: Templates } as const;

export default function NoticesPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((each) => each === search.get("tab")) ?? "sent";
  const Part = PARTS[tab];
  useFreshNotices();
  return (
    <Page title={t("notices.title")} lead={t("notices.lead")} wide>
      <Tabs value={tab} onChange={(next) => setSearch(next === "sent" || next === null ? {} : { tab: next }, { replace: true })} keepMounted={false}>
        <Tabs.List mb="sm">
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`notices.tabs.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {TABS.map((each) => (
          <Tabs.Panel key={each} value={each}>
            {each === tab && <Part />}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
