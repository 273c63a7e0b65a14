// A page that breaks says so instead of going blank; the frame stays.
import { Button } from "@mantine/core";
import { IconMoodConfuzed } from "@tabler/icons-react";
import { Component, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Empty } from "../ui/States";

interface State {
  error: Error | null;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render() {
    return this.state.error ? <Crashed message={this.state.error.message} /> : this.props.children;
  }
}

function Crashed({ message }: { message: string }) {
  const { t } = useTranslation();
  return (
    <Empty icon={<IconMoodConfuzed size={30} className="dim" />} title={t("ui.crashed")}>
      <p>{t("ui.crashed_hint")}</p>
      <p className="mono">{message}</p>
      <Button size="xs" variant="default" onClick={() => window.location.reload()}>
        {t("ui.reload")}
      </Button>
    </Empty>
  );
}
