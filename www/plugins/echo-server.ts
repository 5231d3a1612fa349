import type { Plugin } from "vite";
import { makeServices } from "../services/services.js";

/**
 * Lets the development server pass on what the playground asks of the local server, so that the page finds both at one address.
 *
 * @param address host and port of that server; without one, the playground uses its loopback
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
    // The policy allows no inline styles, which is how Vite adds style sheets while it watches them.
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}
