import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { $lib: new URL("src/lib", import.meta.url).pathname } },
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 350 },
  // `vite` alone serves the page for work on it; the appliance answers the API.
  server: { proxy: { "/api": { target: "https://localhost:8443", secure: false, ws: true, changeOrigin: true } } },
  test: { include: ["src/**/*.test.ts"] },
} as never);
