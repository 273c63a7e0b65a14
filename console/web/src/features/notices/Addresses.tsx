// Where notices reach each person.
import { Button, Group, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { client, must } from "../../api/client";
import { useCaller, usePermissions } from "../../api/session";
import type { NoticeAddress } from "../../api/types";
import { notify } from "../../ui/notify";
import { Panel } from "../../ui/Page";
import { Failed, SkeletonRows } from "../../ui/States";
import { Table, type ColumnDef } from "../../ui/Table";
import { useAddresses, useNoticeChange } from "./queries";

export function Addresses() {
  const { t } = useTranslation();
  const list = useAddresses();
  const caller = useCaller();
  const may = usePermissions();
  const columns: ColumnDef<NoticeAddress>[] = [
    { key: "name", title: t("notices.to"), width: 320, cell: ({ user }) => user.display_name },
    {
      key: "mail",
      title: t("notices.address.mail"),
      cell: (one) => {
        const own = may.admin || (may.cases && one.user.id === caller.id);
        return own ? <Address key={one.mail} of={one} /> : <span className={one.mail ? "mono" : "dim"}>{one.mail ?? t("notices.address.none")}</span>;
      },
    },
  ];
  if (list.isPending) return <SkeletonRows rows={5} />;
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />;
  return (
    <>
      <p className="dim">{t("notices.address.lead")}</p>
      <Panel flush>
        <Table label={t("notices.tabs.addresses")} columns={columns} rows={list.data.items} rowKey={({ user }) => user.id} />
      </Panel>
    </>
  );
}

function Address({ of: { user, mail: kept } }: { of: NoticeAddress }) {
  const { t } = useTranslation();
  const mail = kept ?? "";
  const [typed, setTyped] = useState(mail);
  const save = useNoticeChange(
    (to: string) => must(client.PUT("/api/v1/notice-addresses/{user}", { params: { path: { user: user.id } }, body: { mail: to } })),
    () => notify(t("notices.address.saved")),
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(typed.trim());
      }}
    >
      <Group gap="xs" wrap="nowrap">
        <TextInput size="xs" w={300} type="email" aria-label={t("notices.address.of", { name: user.display_name })} placeholder={t("notices.address.none")} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
        {typed.trim() !== mail && (
          <Button type="submit" size="compact-xs" loading={save.isPending}>
            {t("ui.save")}
          </Button>
        )}
      </Group>
    </form>
  );
}
