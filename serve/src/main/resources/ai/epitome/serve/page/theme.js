// Before anything is drawn: the colours that the reader chose, if any; else those of the system.
const theme = localStorage.getItem("epitome-theme");
if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
