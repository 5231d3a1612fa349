// Runs before the page is drawn: see src/shell/theme.ts, which lets the visitor choose.
try {
  const theme = localStorage.getItem("luau-playground:theme");
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // Where storage is not allowed, the theme is that of the system.
}
if (new URLSearchParams(location.search).has("embed")) {
  document.documentElement.dataset.embed = "";
}
