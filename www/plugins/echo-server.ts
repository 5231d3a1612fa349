import type { Plugin } from "vite";
import { makeServices } from "../services/services.js";

/**
 * Proxies the playground's requests for the local server through the development server, so that both share one address.
 *
 * @param address host and port of that server; without it, the playground uses its loopback
 */
export function echoServer(address: string | undefined): Plugin {
  return {
    name: "echo-server",
    apply: "serve",
    config() {
      if (address === undefined) {
        return {};
      }
      const sockets = Object.keys(makeServices()).map((path) => [
        path,
        { target: `ws://${address}`, ws: true },
      ]);
      return {
        server: { proxy: { ...Object.fromEntries(sockets), "/services.json": `http://${address}` } },
      };
    },
    // Vite adds inline styles while it watches style sheets, and the policy forbids those.
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}
