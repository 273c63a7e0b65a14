// A value is a thing: an address, a domain, a hash. It looks the same everywhere and opens the same menu. What the
// menu offers beyond copying is the business of the surrounding page, through `ValueActions`.
import { Menu } from "@mantine/core";
import { IconCopy } from "@tabler/icons-react";
import { createContext, useContext, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { notify } from "./notify";
import styles from "./Value.module.css";

export interface ValueAction {
  key: string;
  label: string;
  icon: ReactNode;
  /** Whether values of this field have the action; all where it is missing. */
  applies?: (field: string) => boolean;
  run: (field: string, value: string) => void;
}

const Actions = createContext<readonly ValueAction[]>([]);

/** Adds actions to the menus of all values inside; the inner ones come first. */
export function ValueActions({ actions, children }: { actions: readonly ValueAction[]; children: ReactNode }) {
  const outer = useContext(Actions);
  const all = useMemo(() => [...actions, ...outer], [actions, outer]);
  return <Actions.Provider value={all}>{children}</Actions.Provider>;
}

interface ValueProps {
  field: string;
  value: string;
  /** What is shown, if not the value itself. */
  children?: ReactNode;
  plain?: boolean;
}

export function Value({ field, value, children, plain = false }: ValueProps) {
  const { t } = useTranslation();
  const actions = useContext(Actions);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    notify(t("ui.copied"));
  };
  return (
    <Menu position="bottom-start" withinPortal>
      <Menu.Target>
        <button
          type="button"
          className={`${styles.value} ${plain ? "" : styles.mono}`}
          title={`${field}: ${value}`}
          onClick={(click) => click.stopPropagation()}
        >
          {children ?? value}
        </button>
      </Menu.Target>
      <Menu.Dropdown onClick={(click) => click.stopPropagation()}>
        <Menu.Label className={styles.label}>
          {field}
          <b>{value}</b>
        </Menu.Label>
        {actions.filter(({ applies }) => applies?.(field) ?? true).map((action) => (
          <Menu.Item key={action.key} leftSection={action.icon} onClick={() => action.run(field, value)}>
            {action.label}
          </Menu.Item>
        ))}
        {actions.length > 0 && <Menu.Divider />}
        <Menu.Item leftSection={<IconCopy size={15} />} onClick={() => void copy()}>
          {t("ui.copy")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
