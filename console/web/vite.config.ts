/// <reference types="vitest/config" />
// Builds the console's pages into `dist/`, which the console program embeds. Everything is bundled: the pages load
// nothing from elsewhere, and no inline script is written (the content security policy forbids it).
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `/api` goes during development: the mock server, or a real console. */
const api = process.env["LUYTRE_API"] ?? "http://127.0.0.1:5180";

const proxy = { "/api": { target: api, changeOrigin: true, secure: false } };

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
  },
  server: { proxy },
  preview: { proxy },
  test: { environment: "happy-dom", setupFiles: ["src/test-setup.ts"], css: false },
});
