use page::heat_scale::Scale;
use protocol::HeatMap;
use std::rc::Rc;
use yew::{Html, Properties, component, html};

#[derive(PartialEq, Properties)]
pub struct HeatOverlayProps {
    pub map: Rc<HeatMap>,
    /// The upright photo's size in pixels.
    pub size: (u32, u32),
    /// How strongly it covers the photo, in percent.
    pub strength: u8,
}

/// A heat map over its photo: each patch where it lies, in one colour if it contributes more than the
/// average patch and in another if less, the denser the further from it. The drawing keeps the photo's proportions, so it fits the photo at any
/// size.
#[component]
pub fn HeatOverlay(HeatOverlayProps { map, size, strength }: &HeatOverlayProps) -> Html {
    let (width, height) = size;
    let scale = Scale::of(map);
    let (patch_width, patch_height) = (map.seen.width / map.grid as f64, map.seen.height / map.grid as f64);
    let patch = |(at, &term): (usize, &f32)| {
        let (row, column) = (at / map.grid, at % map.grid);
        let share = scale.share(term);
        html! {
            <rect
                class={if share < 0.0 { "less" } else { "more" }}
                x={format!("{:.2}", map.seen.x + column as f64 * patch_width)}
                y={format!("{:.2}", map.seen.y + row as f64 * patch_height)}
                width={format!("{patch_width:.2}")}
                height={format!("{patch_height:.2}")}
                fill-opacity={format!("{:.3}", share.abs())}
            />
        }
    };
    let sum: f64 = map.contributions.iter().map(|&term| f64::from(term)).sum();
    html! {
        <svg
            class="heat"
            data-testid="heatmap"
            data-sum={(sum + f64::from(map.constant)).to_string()}
            data-logit={map.logit.to_string()}
            data-patches={map.contributions.len().to_string()}
            viewBox={format!("0 0 {width} {height}")}
            preserveAspectRatio="xMidYMid meet"
            shape-rendering="crispEdges"
            opacity={format!("{:.2}", f64::from(*strength) / 100.0)}
            aria-hidden="true"
        >
            <rect
                class="seen"
                x={map.seen.x.to_string()}
                y={map.seen.y.to_string()}
                width={map.seen.width.to_string()}
                height={map.seen.height.to_string()}
            />
            { for map.contributions.iter().enumerate().map(patch) }
        </svg>
    }
}
