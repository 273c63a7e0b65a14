// A secret or link that is shown once: monospace, selectable, with a button that copies it.
import { Button, CopyButton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import styles from "./Copyable.module.css";

export function Copyable({ value, label }: { value: string; label: string }) {
  const { t } = useTranslation();
  return (
    <div className={styles.box}>
      <code aria-label={label}>{value}</code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button size="xs" variant={copied ? "light" : "default"} onClick={copy} leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}>
            {copied ? t("ui.copied") : t("ui.copy")}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}
