// A text of the case that is edited in place. What somebody else writes meanwhile is shown beside what is being typed.
import { Alert, Button, Stack, Textarea } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Panel } from "../../ui/Page";
import styles from "./Case.module.css";

interface Props {
  title: string;
  hint: string;
  empty: string;
  text: string;
  editable: boolean;
  busy: boolean;
  onSave: (text: string, done: () => void) => void;
}

export function EditableText({ title, hint, empty, text, editable, busy, onSave }: Props) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<{ text: string; base: string } | null>(null);
  const edit = editable && typed === null && (
    <Button size="compact-xs" variant="subtle" className="no-print" leftSection={<IconPencil size={13} />} onClick={() => setTyped({ text, base: text })} aria-label={`${t("cases.edit")}: ${title}`}>
      {t("cases.edit")}
    </Button>
  );
  return (
    <Panel title={title} aside={edit}>
      {typed === null ? (
        <div className={styles.prose}>{text || <span className="dim">{empty}</span>}</div>
      ) : (
        <Stack gap="xs">
          {typed.base !== text && (
            <Alert variant="light" color="yellow" p="xs" title={t("cases.changed_meanwhile")}>
              <div className={styles.prose}>{text}</div>
              <Button size="compact-xs" variant="default" mt={6} onClick={() => setTyped({ text: typed.text, base: text })}>
                {t("cases.keep_mine")}
              </Button>
            </Alert>
          )}
          <Textarea aria-label={title} description={hint} autosize minRows={4} maxRows={20} maxLength={20000} value={typed.text} onChange={(event) => setTyped({ ...typed, text: event.currentTarget.value })} autoFocus />
          <div className={styles.formActions}>
            <Button variant="default" size="xs" onClick={() => setTyped(null)}>
              {t("ui.cancel")}
            </Button>
            <Button size="xs" loading={busy} disabled={typed.base !== text} onClick={() => onSave(typed.text, () => setTyped(null))}>
              {t("ui.save")}
            </Button>
          </div>
        </Stack>
      )}
    </Panel>
  );
}
