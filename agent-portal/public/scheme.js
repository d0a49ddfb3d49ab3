// Before the first paint: the colours, density and language that this browser was left with. A file of its own, since the
// content security policy allows no inline script.
(function () {
  var root = document.documentElement;
  function kept(name) {
    try {
      return localStorage.getItem('desk.' + name);
    } catch {
      return null;
    }
  }
  var scheme = kept('scheme');
  var dark = scheme === 'dark' || (scheme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  root.setAttribute('data-density', kept('density') === 'compact' ? 'compact' : 'comfortable');
  root.lang = kept('language') || (/^zh/i.test(navigator.language) ? 'zh-CN' : 'en');
})();
