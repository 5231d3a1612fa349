// Runs before the page is drawn. The user chooses the theme in src/shell/theme.ts.
try {
  const theme = localStorage.getItem("luau-playground:theme");
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
} catch {
  // Without access to storage, the theme follows the system.
}
if (new URLSearchParams(location.search).has("embed")) {
  document.documentElement.dataset.embed = "";
}
