"""streamlit run streamlit_app.py, beside `npm start`"""

import os

import streamlit as st
from plimsoll_client import Plimsoll
from plimsoll_client.streamlit import st_plimsoll_map, st_session

plimsoll = Plimsoll(os.environ.get("PLIMSOLL_URL", "http://localhost:9000"))
session = st_session(plimsoll)

least = st.slider("Least population, millions", 0, 30, 5)
cities = [city for city in plimsoll.features("places") if (city["properties"]["population"] or 0) >= least * 1e6]
# The version spares the upload at reruns that change nothing here.
layer = session.put("cities", {"type": "FeatureCollection", "features": cities}, version=least)
st_plimsoll_map(plimsoll, ["world", layer])
st.caption(f"{len(cities)} cities, {session.state()['bytes']} bytes in the session")
