// The look: neutral slate, one accent (bamboo green) for what can be acted on, Be Vietnam Pro and IBM Plex Mono.
// Colours that are not Mantine's own stand in tokens.css.
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

const bamboo: MantineColorsTuple = [
  "#eef8ec",
  "#dbeed7",
  "#b7dcb0",
  "#90c987",
  "#71ba66",
  "#58a94d",
  "#47963d",
  "#357a2d",
  "#2b6425",
  "#204d1c",
];

const slate: MantineColorsTuple = [
  "#d3d9e0",
  "#b4bdc8",
  "#8f9aa7",
  "#66717e",
  "#3a434e",
  "#2a323b",
  "#20262e",
  "#171c22",
  "#12161b",
  "#0d1014",
];

export const theme = createTheme({
  primaryColor: "bamboo",
  primaryShade: { light: 7, dark: 7 },
  colors: { bamboo, dark: slate },
  fontFamily: "'Be Vietnam Pro', system-ui, sans-serif",
  fontFamilyMonospace: "'IBM Plex Mono', ui-monospace, monospace",
  headings: { fontFamily: "'Be Vietnam Pro', system-ui, sans-serif", fontWeight: "600" },
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "19px" },
  defaultRadius: 6,
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Modal: { defaultProps: { transitionProps: { duration: 0 }, overlayProps: { backgroundOpacity: 0.55 } } },
    Menu: { defaultProps: { transitionProps: { duration: 0 }, shadow: "md" } },
    Tooltip: { defaultProps: { openDelay: 350, transitionProps: { duration: 0 }, withArrow: true } },
    Popover: { defaultProps: { transitionProps: { duration: 0 } } },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false } },
    Textarea: { defaultProps: { size: "sm" } },
    Button: { defaultProps: { size: "sm" } },
  },
});

/** Mantine's own variables in terms of ours. */
const shared = {
  "--mantine-color-body": "var(--lt-bg)",
  "--mantine-color-text": "var(--lt-text)",
  "--mantine-color-dimmed": "var(--lt-dim)",
  "--mantine-color-placeholder": "var(--lt-faint)",
  "--mantine-color-anchor": "var(--lt-accent)",
  "--mantine-color-default": "var(--lt-raised)",
  "--mantine-color-default-color": "var(--lt-text)",
  "--mantine-color-default-hover": "var(--lt-hover)",
  "--mantine-color-default-border": "var(--lt-border-strong)",
  "--mantine-color-error": "var(--lt-critical)",
  "--mantine-color-bamboo-light": "var(--lt-accent-soft)",
  "--mantine-color-bamboo-light-hover": "var(--lt-accent-soft)",
  "--mantine-color-bamboo-light-color": "var(--lt-accent)",
  "--mantine-color-bamboo-outline": "var(--lt-accent)",
  "--mantine-color-red-light": "var(--lt-bad-bg)",
  "--mantine-color-red-light-hover": "var(--lt-bad-bg)",
  "--mantine-color-red-light-color": "var(--lt-critical)",
  "--mantine-color-yellow-light": "var(--lt-warn-bg)",
  "--mantine-color-yellow-light-color": "var(--lt-warn)",
  "--mantine-color-gray-light": "var(--lt-hover)",
  "--mantine-color-gray-light-hover": "var(--lt-hover)",
  "--mantine-color-gray-light-color": "var(--lt-dim)",
};

export const variables: CSSVariablesResolver = () => ({ variables: {}, light: shared, dark: shared });
