// The table of keys.
import { Kbd, Modal, Table } from "@mantine/core";
import { useTranslation } from "react-i18next";

const KEYS = [
  ["j / k", "move"],
  ["Enter", "open"],
  ["→ / ←", "group"],
  ["[ / ]", "tabs"],
  ["c", "close"],
  ["e", "escalate"],
  ["r", "reopen"],
  ["a", "assign"],
  ["s", "suppress"],
  ["w", "watch"],
  ["m", "note"],
  ["x", "select"],
  ["z", "undo"],
  ["n", "take"],
  ["/", "search"],
  ["?", "help"],
] as const;

export function KeysHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={onClose} title={t("alerts.keys.title")}>
      <Table verticalSpacing={4} withRowBorders={false}>
        <Table.Tbody>
          {KEYS.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td w={90}>
                <Kbd>{key}</Kbd>
              </Table.Td>
              <Table.Td>{t(`alerts.keys.${what}`)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
