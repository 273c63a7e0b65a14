// The look: neutral slate, one accent (bamboo green) for what can be acted on, Be Vietnam Pro and IBM Plex Mono.
// Colours that are not Mantine's own stand in tokens.css.
import { createTheme, type MantineColorsTuple } from "@mantine/core";

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
