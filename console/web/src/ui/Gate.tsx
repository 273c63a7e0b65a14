// The frame of the pages before the log-in: the mark, the name, one card.
import { ActionIcon, Button, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { usePageTitle } from "./Page";
import { Mark } from "./Mark";
import styles from "./Gate.module.css";

interface GateProps {
  title: string;
  lead?: string;
  onLanguage: () => void;
  children: ReactNode;
}

export function Gate({ title, lead, onLanguage, children }: GateProps) {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dark = colorScheme !== "light";
  usePageTitle(title);
  return (
    <main className={styles.gate}>
      <div className={styles.corner}>
        <Button variant="subtle" color="gray" size="xs" onClick={onLanguage} lang={t("nav.language_code")} title={t("nav.language_label")}>
          {t("nav.language")}
        </Button>
        <ActionIcon variant="subtle" color="gray" onClick={() => setColorScheme(dark ? "light" : "dark")} aria-label={dark ? t("nav.to_light") : t("nav.to_dark")}>
          {dark ? <IconSun size={17} /> : <IconMoon size={17} />}
        </ActionIcon>
      </div>
      <div className={styles.card}>
        <div className={styles.brand}>
          <Mark size={44} />
          <div>
            <div className={styles.name}>Lũy Tre</div>
            <div className={styles.product}>{t("session.product")}</div>
          </div>
        </div>
        <h1 className={styles.title} data-lead={lead !== undefined}>
          {title}
        </h1>
        {lead && <p className={styles.lead}>{lead}</p>}
        {children}
      </div>
    </main>
  );
}
