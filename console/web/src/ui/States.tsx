// The states that every screen has: loading, empty, partial, failed.
import { Alert, Button, Skeleton, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconPlugConnectedX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import styles from "./States.module.css";

/** What would be here, and how to get it. */
export function Empty({ icon, title, children }: { icon?: ReactNode; title: string; children?: ReactNode }) {
  return (
    <div className={styles.empty}>
      {icon}
      <Text fw={600}>{title}</Text>
      {children && (
        <Text size="sm" c="dimmed" maw={460} component="div">
          {children}
        </Text>
      )}
    </div>
  );
}

interface FailedProps {
  error: Error;
  retry?: () => void;
}

/** What happened, what was kept, what to do. */
export function Failed({ error, retry }: FailedProps) {
  const { t } = useTranslation();
  return (
    <div className={styles.empty} role="alert">
      <IconPlugConnectedX size={28} className="dim" />
      <Text fw={600}>{t("ui.failed")}</Text>
      <Text size="sm" c="dimmed" maw={520}>
        {error.message || t("ui.unreachable")}
      </Text>
      {retry && (
        <Button variant="default" size="xs" onClick={retry}>
          {t("ui.retry")}
        </Button>
      )}
    </div>
  );
}

/** Which part did not answer. */
export function Partial({ reasons }: { reasons: readonly string[] }) {
  const { t } = useTranslation();
  if (reasons.length === 0) return null;
  return (
    <Alert variant="light" color="yellow" icon={<IconAlertTriangle size={16} />} title={t("ui.partial")} p="xs">
      {reasons.map((reason) => (
        <div key={reason}>{reason}</div>
      ))}
    </Alert>
  );
}

/** Grey lines of the shape of a list. */
export function SkeletonRows({ rows = 8, height = 34 }: { rows?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <Stack gap={8} p="sm" className={styles.skeleton} aria-busy aria-label={t("ui.loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height} radius={4} />
      ))}
    </Stack>
  );
}
