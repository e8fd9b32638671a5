import { defineConfig } from "vitest/config";

// Assets are addressed relative to the page, so that the dashboard works below any path of a proxy.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../python/watchband/apps/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    // Licences of what is bundled stand beside it, so that the wheel carries them.
    license: { fileName: "licenses.md" },
  },
  // While developing, the API is that of a running service.
  server: { proxy: { "/api": process.env["WATCHBAND_URL"] ?? "http://127.0.0.1:8470" } },
  test: { environment: "happy-dom", include: ["tests/**/*.test.{ts,tsx}"] },
});
