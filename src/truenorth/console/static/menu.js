// The menu: links to the pages, by group.
export default {
  props: { groups: Array },
  template: `
    <div>
      <template v-for="group in groups" :key="group.name">
        <p class="tn-group">{{ group.name }}</p>
        <ul :aria-label="group.name">
          <li v-for="page in group.pages" :key="page.path">
            <a :href="page.path" :aria-current="page.here ? 'page' : null">{{ page.title }}</a>
          </li>
        </ul>
      </template>
    </div>`,
};
