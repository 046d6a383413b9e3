// Plain HTML that stays as it is. Every text goes in as text.
import { h } from "vue";

const draw = ([tag, attributes, text, inside]) => h(tag, attributes, [text, ...inside.map(draw)]);
export default {
  props: { tree: Array },
  render() {
    return draw(this.tree);
  },
};
