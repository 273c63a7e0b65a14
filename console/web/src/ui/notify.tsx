// Short messages at the edge of the page.
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import i18next from "i18next";

const closing = () => ({ "aria-label": i18next.t("ui.close") });

/** Says that something was done. */
export function notify(message: string) {
  notifications.show({ message, color: "bamboo", autoClose: 3500, withBorder: true, closeButtonProps: closing() });
}

/** Says that something was done and offers what can follow, for as long as the message stands. */
export function notifyWith(message: string, label: string, act: () => void) {
  const id = crypto.randomUUID();
  const run = () => {
    notifications.hide(id);
    act();
  };
  const content = (
    <>
      {message}
      <div>
        <Button size="compact-xs" variant="default" mt={6} onClick={run}>
          {label}
        </Button>
      </div>
    </>
  );
  notifications.show({ id, message: content, color: "bamboo", autoClose: 12_000, withBorder: true, closeButtonProps: closing() });
}

/** Says that something was not done, and why. */
export function notifyFailure(title: string, message: string) {
  notifications.show({ title, message, color: "red", autoClose: 9000, withBorder: true, closeButtonProps: closing() });
}
