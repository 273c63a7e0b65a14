// Saved views: filters, order and grouping under a name; one's own and those that others share.
import { ActionIcon, Button, Checkbox, Menu, Popover, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBookmark, IconBookmarkPlus, IconTrash } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { useCaller, usePermissions } from "../../api/session";
import type { View } from "../../api/types";
import { notify, notifyFailure } from "../../ui/notify";
import { useDeleteView, useSaveView, useViews } from "./queries";
import styles from "./FilterBar.module.css";

interface ViewsProps {
  /** The question part of the address as it is now. */
  view: string;
  onUse: (query: string) => void;
}

export function Views({ view, onUse }: ViewsProps) {
  const { t } = useTranslation();
  const may = usePermissions();
  const caller = useCaller();
  const views = useViews();
  const own = (views.data ?? []).filter(({ owner }) => owner?.id === caller.id);
  const shared = (views.data ?? []).filter(({ owner }) => owner?.id !== caller.id);
  return (
    <>
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button size="compact-sm" variant="default" leftSection={<IconBookmark size={14} />} className={styles.views}>
            {t("alerts.views.title")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {own.length + shared.length === 0 && <Menu.Label>{t("alerts.views.none")}</Menu.Label>}
          {own.length > 0 && <Menu.Label>{t("alerts.views.own")}</Menu.Label>}
          {own.map((each) => (
            <Entry key={each.id} view={each} mine onUse={onUse} />
          ))}
          {shared.length > 0 && <Menu.Label>{t("alerts.views.shared")}</Menu.Label>}
          {shared.map((each) => (
            <Entry key={each.id} view={each} mine={may.admin} onUse={onUse} />
          ))}
        </Menu.Dropdown>
      </Menu>
      {may.cases && <SaveView view={view} />}
    </>
  );
}

function Entry({ view, mine, onUse }: { view: View; mine: boolean; onUse: (query: string) => void }) {
  const { t } = useTranslation();
  const caller = useCaller();
  const remove = useDeleteView();
  return (
    <div className={styles.view}>
      <Menu.Item onClick={() => onUse(view.query)}>
        {view.name}
        {view.owner && view.owner.id !== caller.id && <span className="dim"> {t("alerts.views.by", { name: view.owner.display_name })}</span>}
        {view.owner?.id === caller.id && view.shared && <span className="dim"> · {t("alerts.views.shared").toLowerCase()}</span>}
      </Menu.Item>
      {mine && (
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t("alerts.views.delete", { name: view.name })} onClick={() => remove.mutate(view.id, { onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")) })}>
          <IconTrash size={14} />
        </ActionIcon>
      )}
    </div>
  );
}

function SaveView({ view }: { view: string }) {
  const { t } = useTranslation();
  const [opened, popover] = useDisclosure(false);
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const save = useSaveView();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(
      { name: name.trim(), query: view, shared },
      {
        onSuccess: () => {
          notify(t("alerts.views.saved", { name: name.trim() }));
          setName("");
          popover.close();
        },
        onError: (error) => notifyFailure(t("ui.not_done"), error.message || t("ui.unreachable")),
      },
    );
  };
  return (
    <Popover opened={opened} onChange={(open) => !open && popover.close()} position="bottom-end" shadow="md" trapFocus>
      <Popover.Target>
        <ActionIcon variant="default" size={26} aria-label={t("alerts.views.save")} title={t("alerts.views.save")} onClick={popover.toggle}>
          <IconBookmarkPlus size={15} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown w={280}>
        <form onSubmit={submit}>
          <Stack gap="xs">
            <TextInput size="xs" label={t("alerts.views.name")} value={name} maxLength={80} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
            <Checkbox size="xs" label={t("alerts.views.share")} checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
            <Button size="xs" type="submit" disabled={name.trim() === ""} loading={save.isPending}>
              {t("alerts.views.save")}
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
